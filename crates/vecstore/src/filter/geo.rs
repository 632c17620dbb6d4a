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
    /// The haversine of the radius; 1, that of the antipode, when the circle covers the globe.
    limit: f64,
}

impl Circle {
    pub(super) fn new(center: GeoPoint, radius_meters: f64) -> Self {
        let half_angle = (radius_meters / EARTH_RADIUS_METERS / 2.0).min(std::f64::consts::FRAC_PI_2);
        Self { center, center_lat_cosine: center.lat.to_radians().cos(), limit: half_angle.sin().powi(2) }
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
