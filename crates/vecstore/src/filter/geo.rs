//! Points on the globe: distance and boxes.

use crate::metadata::ValueRef;

/// The mean radius of the earth in metres (IUGG R1), which makes the sphere's error about 0.5 %.
const EARTH_RADIUS_METERS: f64 = 6_371_008.8;

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPoint {
    /// Degrees north, from -90 to 90.
    pub lat: f64,
    /// Degrees east, from -180 to 180.
    pub lon: f64,
}

impl GeoPoint {
    /// Makes a point; filters check its range when they are compiled.
    pub const fn new(lat: f64, lon: f64) -> Self {
        Self { lat, lon }
    }

    /// Returns whether both coordinates are within their range.
    pub fn is_valid(&self) -> bool {
        (-90.0..=90.0).contains(&self.lat) && (-180.0..=180.0).contains(&self.lon)
    }

    /// Reads a stored point: a map with numbers `lat` and `lon` within their range.
    pub(super) fn from_stored(value: ValueRef<'_>) -> Option<Self> {
        let ValueRef::Map(map) = value else { return None };
        let point = Self::new(number(map.get("lat")?)?, number(map.get("lon")?)?);
        point.is_valid().then_some(point)
    }
}

fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Int(number) => Some(number as f64),
        ValueRef::Float(number) => Some(number),
        _ => None,
    }
}

/// A circle with what can be computed once.
#[derive(Clone, Debug)]
pub(crate) struct Circle {
    center: GeoPoint,
    center_lat_cosine: f64,
    /// The angle of the radius, at most that of the antipode.
    angle: f64,
    /// The haversine of the radius; 1, that of the antipode, when the circle covers the globe.
    limit: f64,
}

impl Circle {
    pub(super) fn new(center: GeoPoint, radius_meters: f64) -> Self {
        let half_angle = (radius_meters / EARTH_RADIUS_METERS / 2.0).min(std::f64::consts::FRAC_PI_2);
        Self {
            center,
            center_lat_cosine: center.lat.to_radians().cos(),
            angle: 2.0 * half_angle,
            limit: half_angle.sin().powi(2),
        }
    }

    /// Returns a box that has every point of the circle, up to 1 m too large.
    pub(crate) fn bounds(&self) -> Rectangle {
        // Near the antipode, an error in the last digit of a haversine is one of 1e-6 degrees.
        const MARGIN_DEGREES: f64 = 1e-5;
        let angle = self.angle.to_degrees() + MARGIN_DEGREES;
        let (bottom, top) = (self.center.lat - angle, self.center.lat + angle);
        let (mut left, mut right) = (-180.0, 180.0);
        // Around a pole lies every longitude.
        if bottom > -90.0 && top < 90.0 {
            let sine = angle.to_radians().sin() / self.center_lat_cosine;
            if sine < 1.0 {
                let width = sine.asin().to_degrees() + MARGIN_DEGREES;
                (left, right) = (self.center.lon - width, self.center.lon + width);
                // Then the box crosses the antimeridian, and its left is east of its right.
                if left < -180.0 {
                    left += 360.0;
                }
                if right > 180.0 {
                    right -= 360.0;
                }
            }
        }
        Rectangle { top_left: GeoPoint::new(top, left), bottom_right: GeoPoint::new(bottom, right) }
    }

    /// Compares haversines, which grow with the distance and need no arc sine.
    pub(super) fn contains(&self, point: GeoPoint) -> bool {
        let half_lat = ((point.lat - self.center.lat).to_radians() / 2.0).sin();
        let half_lon = ((point.lon - self.center.lon).to_radians() / 2.0).sin();
        let cosines = self.center_lat_cosine * point.lat.to_radians().cos();
        let haversine = half_lat * half_lat + cosines * half_lon * half_lon;
        haversine.min(1.0) <= self.limit
    }
}

/// A box between two parallels and two meridians.
#[derive(Clone, Debug)]
pub(crate) struct Rectangle {
    pub(crate) top_left: GeoPoint,
    pub(crate) bottom_right: GeoPoint,
}

impl Rectangle {
    pub(super) fn contains(&self, point: GeoPoint) -> bool {
        let (left, right) = (self.top_left.lon, self.bottom_right.lon);
        let in_longitude = if left <= right {
            (left..=right).contains(&point.lon)
        } else {
            point.lon >= left || point.lon <= right // crosses the antimeridian
        };
        in_longitude && (self.bottom_right.lat..=self.top_left.lat).contains(&point.lat)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = GeoPoint> {
        let lat = prop_oneof![-90.0..=90.0, Just(90.0), Just(-90.0), Just(0.0)];
        let lon = prop_oneof![-180.0..=180.0, Just(180.0), Just(-180.0)];
        (lat, lon).prop_map(|(lat, lon)| GeoPoint::new(lat, lon))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_box_of_a_circle_has_all_its_points(
            center in point(),
            radius in prop_oneof![0.0..1e3, 0.0..2.1e7, Just(0.0), Just(2.0015e7)],
            others in prop::collection::vec(point(), 20),
            near in prop::collection::vec((-1.0..1.0, -1.0..1.0), 20),
        ) {
            let circle = Circle::new(center, radius);
            let bounds = circle.bounds();
            let degrees = radius / 111_000.0;
            let near = near.into_iter().map(|(lat, lon)| {
                let lat: f64 = center.lat + lat * degrees;
                let lon: f64 = center.lon + lon * degrees / center.lat.to_radians().cos().max(1e-9);
                GeoPoint::new(lat.clamp(-90.0, 90.0), (lon + 540.0).rem_euclid(360.0) - 180.0)
            });
            for point in others.into_iter().chain(near).chain([center]) {
                prop_assert!(!circle.contains(point) || bounds.contains(point), "{:?} {:?}", point, bounds);
            }
        }
    }
}
