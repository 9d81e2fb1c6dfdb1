//! Which full pages hold which beginnings of sequences.

use super::pages::{PAGE, PageId, Pages};
use std::collections::BTreeMap;

/// A beginning of whole pages: the number of its last page's entry, and how many pages it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    entry: u64,
    depth: usize,
}

impl Node {
    pub(super) fn depth(self) -> usize {
        self.depth
    }
}

#[derive(Debug)]
struct Entry {
    page: PageId,
    key: (u64, Vec<u32>),
    /// Entries that go on from here.
    children: usize,
    used: u64,
}

/// All known beginnings, as a tree: a page's entry is found by that of the page before it and its
/// tokens. Entry 0 is the empty beginning.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    by_tokens: BTreeMap<(u64, Vec<u32>), u64>,
    entries: BTreeMap<u64, Entry>,
    by_page: BTreeMap<PageId, u64>,
    last: u64,
    clock: u64,
}

impl Prefixes {
    /// The longest known beginning of `tokens`, and its pages.
    pub(super) fn find(&mut self, tokens: &[u32]) -> (Node, Vec<PageId>) {
        let (mut node, mut pages) = (Node::default(), Vec::new());
        self.clock += 1;
        for page in tokens.chunks_exact(PAGE) {
            let Some(&number) = self.by_tokens.get(&(node.entry, page.to_vec())) else { break };
            let Some(entry) = self.entries.get_mut(&number) else { break };
            entry.used = self.clock;
            pages.push(entry.page);
            node = Node { entry: number, depth: node.depth + 1 };
        }
        (node, pages)
    }

    /// Adds a full page after `node`. A page that holds the same already stays the known one.
    pub(super) fn add(&mut self, node: Node, tokens: &[u32], page: PageId) -> Node {
        let key = (node.entry, tokens.to_vec());
        self.clock += 1;
        let number = match self.by_tokens.get(&key) {
            Some(number) => *number,
            None => {
                self.last += 1;
                self.by_tokens.insert(key.clone(), self.last);
                self.by_page.insert(page, self.last);
                let entry = Entry { page, key, children: 0, used: self.clock };
                self.entries.insert(self.last, entry);
                if let Some(parent) = self.entries.get_mut(&node.entry) {
                    parent.children += 1;
                }
                self.last
            }
        };
        Node { entry: number, depth: node.depth + 1 }
    }

    /// Whether a page is a known beginning's.
    pub(super) fn holds(&self, page: PageId) -> bool {
        self.by_page.contains_key(&page)
    }

    /// Gives up a page that nobody uses: the one that was not asked for the longest, of those that
    /// nothing goes on from if there are any.
    pub(super) fn forget_oldest(&mut self, pages: &Pages) -> Option<PageId> {
        let idle = self.entries.iter().filter(|(_, entry)| pages.is_idle(entry.page));
        let (&number, _) = idle.min_by_key(|(_, entry)| (entry.children > 0, entry.used))?;
        let entry = self.entries.remove(&number)?;
        self.by_tokens.remove(&entry.key);
        self.by_page.remove(&entry.page);
        if let Some(parent) = self.entries.get_mut(&entry.key.0) {
            parent.children -= 1;
        }
        Some(entry.page)
    }
}
