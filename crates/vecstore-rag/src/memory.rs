//! What was said in a conversation, within a budget of tokens.

use std::collections::VecDeque;

use crate::tokens::{TokenCounter, truncate_to_tokens};

/// The role whose messages are never dropped.
const PINNED_ROLE: &str = "system";

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who said it: `system`, `user`, `assistant`, or whatever a model knows.
    pub role: String,
    /// What was said.
    pub content: String,
}

impl Message {
    /// Makes a message.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// All that a [`ConversationMemory`] knows, to be kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    /// The messages but the summary, oldest first, with their tokens.
    pub messages: Vec<(Message, usize)>,
    /// The summary, with its tokens.
    pub summary: Option<(String, usize)>,
    /// What waits for a summary.
    pub forgotten: Vec<Message>,
}

#[derive(Clone, Debug)]
struct Entry {
    order: u64,
    tokens: usize,
    message: Message,
}

/// A conversation that forgets its oldest messages rather than exceed a number of tokens.
///
/// Messages of the role `system` are pinned: they stay, whatever their number. A message that is larger than the whole
/// budget is cut to what fits, at a paragraph, sentence or word. Adding is O(1) amortised, besides counting the message.
///
/// With [`ConversationMemory::keep_forgotten`], what is forgotten waits until somebody sums it up: [`Self::forgotten`] says
/// what there is, [`Self::set_summary`] replaces it. The summary is the first message after the pinned ones. The newest message is
/// never forgotten for it.
///
/// # Examples
///
/// ```
/// use vecstore_rag::{ConversationMemory, Message, estimate_tokens};
///
/// let mut count = |text: &str| Ok::<_, std::convert::Infallible>(estimate_tokens(text));
/// let mut memory = ConversationMemory::new(8);
/// for (role, content) in [("system", "Be brief."), ("user", "What is a segment?"), ("user", "And a manifest?")] {
///     memory.add(Message::new(role, content), &mut count)?;
/// }
/// assert_eq!(memory.format(), "system: Be brief.\n\nuser: And a manifest?");
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConversationMemory {
    max_tokens: usize,
    pinned: Vec<Entry>,
    recent: VecDeque<Entry>,
    summary: Option<Entry>,
    tokens: usize,
    recent_tokens: usize,
    next_order: u64,
    keeps_forgotten: bool,
    forgotten: Vec<Message>,
}

impl ConversationMemory {
    /// Makes an empty memory of at most `max_tokens`.
    pub fn new(max_tokens: usize) -> Self {
        Self {
            max_tokens,
            pinned: Vec::new(),
            recent: VecDeque::new(),
            summary: None,
            tokens: 0,
            recent_tokens: 0,
            next_order: 0,
            keeps_forgotten: false,
            forgotten: Vec::new(),
        }
    }

    /// Sets whether forgotten messages are kept for a summary. When the budget is exceeded, half of it is then freed at once,
    /// so that a summary is asked for rarely.
    #[must_use]
    pub fn keep_forgotten(mut self, keep: bool) -> Self {
        self.keeps_forgotten = keep;
        self
    }

    /// Returns all that it knows.
    pub fn state(&self) -> MemoryState {
        let all = Merged { pinned: &self.pinned, recent: &self.recent, at: 0 };
        MemoryState {
            messages: all.map(|entry| (entry.message.clone(), entry.tokens)).collect(),
            summary: self.summary.as_ref().map(|entry| (entry.message.content.clone(), entry.tokens)),
            forgotten: self.forgotten.clone(),
        }
    }

    /// Returns the memory with what another one knew, of the same budget.
    #[must_use]
    pub fn with_state(self, state: MemoryState) -> Self {
        let mut memory = Self::new(self.max_tokens).keep_forgotten(self.keeps_forgotten);
        for (message, tokens) in state.messages {
            let is_pinned = message.role == PINNED_ROLE;
            let entry = Entry { order: memory.next_order, tokens, message };
            memory.next_order += 1;
            memory.tokens = memory.tokens.saturating_add(tokens);
            if is_pinned {
                memory.pinned.push(entry);
            } else {
                memory.recent_tokens = memory.recent_tokens.saturating_add(tokens);
                memory.recent.push_back(entry);
            }
        }
        memory.summary = state.summary.map(|(content, tokens)| {
            memory.tokens = memory.tokens.saturating_add(tokens);
            Entry { order: 0, tokens, message: Message::new(PINNED_ROLE, content) }
        });
        memory.forgotten = state.forgotten;
        memory
    }

    /// Returns the budget.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Returns how many tokens all messages have, as they were counted when they were added.
    pub fn token_count(&self) -> usize {
        self.tokens
    }

    /// Returns the number of messages.
    pub fn len(&self) -> usize {
        self.pinned.len() + self.recent.len() + usize::from(self.summary.is_some())
    }

    /// Returns whether there are no messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the most tokens that an unpinned message may have without being cut: what pinned messages leave.
    pub fn room(&self) -> usize {
        self.max_tokens.saturating_sub(self.pinned_tokens())
    }

    /// Adds a message and forgets the oldest unpinned ones until all fit. A summary is cut to what the message leaves.
    ///
    /// # Errors
    ///
    /// Those of the counter; nothing is changed then.
    pub fn add<E>(&mut self, message: Message, counter: &mut impl TokenCounter<E>) -> Result<(), E> {
        let mut message = message;
        let mut tokens = counter.count(&message.content)?;
        let is_pinned = message.role == PINNED_ROLE;
        if !is_pinned {
            let room = self.room();
            if tokens > room {
                message.content = truncate_to_tokens(&message.content, room, counter)?.to_owned();
                if message.content.is_empty() {
                    self.forget_until(room);
                    self.remember_forgotten(message);
                    return Ok(());
                }
                tokens = counter.count(&message.content)?;
            }
            if let Some(summary) = &self.summary
                && summary.tokens > room.saturating_sub(tokens)
            {
                let left = room.saturating_sub(tokens);
                let content = truncate_to_tokens(&summary.message.content, left, counter)?.to_owned();
                let counted = counter.count(&content)?;
                self.replace_summary(content, counted);
            }
        }
        let entry = Entry { order: self.next_order, tokens, message };
        self.next_order += 1;
        self.tokens += tokens;
        if is_pinned {
            self.pinned.push(entry);
        } else {
            self.recent_tokens += tokens;
            self.recent.push_back(entry);
        }
        if self.tokens > self.max_tokens {
            if self.keeps_forgotten {
                let fixed = self.fixed_tokens();
                self.forget_all_but_newest(fixed + self.max_tokens.saturating_sub(fixed) / 2);
            }
            // The newest message alone fits, unless it is a pinned one.
            self.forget_until(self.max_tokens);
        }
        Ok(())
    }

    /// Returns the messages, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        let first_recent = self.recent.front().map_or(u64::MAX, |entry| entry.order);
        let before = self.pinned.partition_point(|entry| entry.order < first_recent);
        let (first, rest) = self.pinned.split_at(before);
        first
            .iter()
            .chain(&self.summary)
            .chain(Merged { pinned: rest, recent: &self.recent, at: 0 })
            .map(|entry| &entry.message)
    }

    /// Returns the messages as `role: content`, with a blank line between two.
    pub fn format(&self) -> String {
        let lines: Vec<String> =
            self.messages().map(|message| format!("{}: {}", message.role, message.content)).collect();
        lines.join("\n\n")
    }

    /// Forgets all messages, the pinned ones too.
    pub fn clear(&mut self) {
        *self = Self::new(self.max_tokens).keep_forgotten(self.keeps_forgotten);
    }

    /// Returns the messages that were forgotten since the last summary, oldest first.
    pub fn forgotten(&self) -> &[Message] {
        &self.forgotten
    }

    /// Returns the summary of what was forgotten before, if there is one.
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_ref().map(|entry| entry.message.content.as_str())
    }

    /// Replaces the summary by one that also covers the first `covered` of [`Self::forgotten`]. It is cut to a quarter of the
    /// budget, and to what the pinned messages and the newest one leave.
    ///
    /// # Errors
    ///
    /// Those of the counter; nothing is changed then.
    pub fn set_summary<E>(
        &mut self,
        summary: &str,
        covered: usize,
        counter: &mut impl TokenCounter<E>,
    ) -> Result<(), E> {
        let newest = self.recent.back().map_or(0, |entry| entry.tokens);
        let room = self.room().saturating_sub(newest).min(self.max_tokens / 4);
        let content = truncate_to_tokens(summary.trim(), room, counter)?.to_owned();
        let tokens = counter.count(&content)?;
        self.forgotten.drain(..covered.min(self.forgotten.len()));
        self.replace_summary(content, tokens);
        self.forget_all_but_newest(self.max_tokens);
        Ok(())
    }

    /// Puts a summary in the place of the one there is; none if it is empty.
    fn replace_summary(&mut self, content: String, tokens: usize) {
        self.tokens -= self.summary.take().map_or(0, |entry| entry.tokens);
        if !content.is_empty() {
            self.tokens += tokens;
            let message = Message::new(PINNED_ROLE, content);
            self.summary = Some(Entry { order: 0, tokens, message });
        }
    }

    /// Returns the tokens of the pinned messages, without the summary.
    fn pinned_tokens(&self) -> usize {
        self.fixed_tokens() - self.summary.as_ref().map_or(0, |entry| entry.tokens)
    }

    /// Returns the tokens of what is not forgotten.
    fn fixed_tokens(&self) -> usize {
        self.tokens - self.recent_tokens
    }

    fn forget_all_but_newest(&mut self, target: usize) {
        let Some(newest) = self.recent.pop_back() else { return };
        self.forget_until(target);
        self.recent.push_back(newest);
    }

    fn forget_until(&mut self, target: usize) {
        while self.tokens > target
            && let Some(entry) = self.recent.pop_front()
        {
            self.tokens -= entry.tokens;
            self.recent_tokens -= entry.tokens;
            self.remember_forgotten(entry.message);
        }
    }

    fn remember_forgotten(&mut self, message: Message) {
        if self.keeps_forgotten {
            self.forgotten.push(message);
        }
    }
}

/// Two runs of entries, each in order, as one.
struct Merged<'a> {
    pinned: &'a [Entry],
    recent: &'a VecDeque<Entry>,
    at: usize,
}

impl<'a> Iterator for Merged<'a> {
    type Item = &'a Entry;

    fn next(&mut self) -> Option<&'a Entry> {
        match (self.pinned.split_first(), self.recent.get(self.at)) {
            (Some((pinned, rest)), recent) if recent.is_none_or(|recent| pinned.order < recent.order) => {
                self.pinned = rest;
                Some(pinned)
            }
            (_, recent) => {
                self.at += 1;
                recent
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn count(text: &str) -> Result<usize, Infallible> {
        Ok(text.chars().count())
    }

    fn shown(memory: &ConversationMemory) -> Vec<&str> {
        memory.messages().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn a_message_larger_than_the_budget_is_cut() {
        let mut memory = ConversationMemory::new(12);
        memory.add(Message::new("user", "alpha beta gamma"), &mut count).unwrap();
        assert_eq!(shown(&memory), ["alpha beta"]);
        assert_eq!(memory.token_count(), 10);
    }

    #[test]
    fn its_state_is_all_there_is() {
        let mut memory = ConversationMemory::new(20).keep_forgotten(true);
        for (role, content) in [("user", "aaaaaa"), ("system", "sys"), ("user", "bbbbbb"), ("user", "cccccc")]
        {
            memory.add(Message::new(role, content), &mut count).unwrap();
        }
        memory.set_summary("ab", 1, &mut count).unwrap();
        let mut restored = ConversationMemory::new(20).keep_forgotten(true).with_state(memory.state());
        assert_eq!(restored.state(), memory.state());
        assert!(!restored.forgotten().is_empty() && restored.summary() == Some("ab"));
        for each in [&mut memory, &mut restored] {
            each.add(Message::new("user", "dddddddd"), &mut count).unwrap();
        }
        assert_eq!((shown(&restored), restored.token_count()), (shown(&memory), memory.token_count()));
    }

    #[test]
    fn the_newest_message_is_never_summed_up() {
        for length in 1..=20 {
            let mut memory = ConversationMemory::new(20).keep_forgotten(true);
            memory.add(Message::new("user", "o".repeat(15)), &mut count).unwrap();
            let newest = "n".repeat(length);
            memory.add(Message::new("user", newest.as_str()), &mut count).unwrap();
            memory.set_summary(&"s".repeat(9), memory.forgotten().len(), &mut count).unwrap();
            assert_eq!(memory.messages().last().unwrap().content, newest, "{length}");
            assert!(memory.token_count() <= 20, "{length}");
        }
    }

    #[test]
    fn what_is_forgotten_waits_for_its_summary() {
        let mut memory = ConversationMemory::new(20).keep_forgotten(true);
        memory.add(Message::new("system", "sys"), &mut count).unwrap();
        for content in ["aaaaa", "bbbbb", "ccccc", "ddddd"] {
            memory.add(Message::new("user", content), &mut count).unwrap();
        }
        assert_eq!(shown(&memory), ["sys", "ddddd"]);
        let forgotten: Vec<&str> =
            memory.forgotten().iter().map(|message| message.content.as_str()).collect();
        assert_eq!(forgotten, ["aaaaa", "bbbbb", "ccccc"]);
        memory.set_summary("abc", 3, &mut count).unwrap();
        assert_eq!(shown(&memory), ["sys", "abc", "ddddd"]);
        assert!(memory.forgotten().is_empty());
        assert_eq!(memory.token_count(), 11);
        memory.set_summary("more than a quarter", 0, &mut count).unwrap();
        assert_eq!(memory.summary(), Some("more"));
    }

    proptest! {
        /// The model: a list, from which the first unpinned message is removed while there are too many tokens.
        #[test]
        fn it_holds_what_a_list_would(
            budget in 10_usize..60,
            said in prop::collection::vec((any::<bool>(), "[a-z]{0,9}"), 0..40),
        ) {
            let mut memory = ConversationMemory::new(budget);
            let mut model: Vec<(bool, String)> = Vec::new();
            for (pinned, content) in said {
                let pinned = pinned && content.len() < 3;
                let fixed: usize = model.iter().filter(|(pinned, _)| *pinned).map(|(_, text)| text.len()).sum();
                if !pinned && fixed + content.len() > budget {
                    continue; // cut, which another test is about
                }
                let role = if pinned { "system" } else { "user" };
                memory.add(Message::new(role, content.clone()), &mut count).unwrap();
                model.push((pinned, content));
                while model.iter().map(|(_, text)| text.len()).sum::<usize>() > budget
                    && let Some(at) = model.iter().position(|(pinned, _)| !pinned)
                {
                    model.remove(at);
                }
                let expected: Vec<&str> = model.iter().map(|(_, text)| text.as_str()).collect();
                prop_assert_eq!(shown(&memory), expected);
                prop_assert_eq!(memory.token_count(), model.iter().map(|(_, text)| text.len()).sum::<usize>());
                prop_assert_eq!(memory.len(), model.len());
            }
        }
    }
}
