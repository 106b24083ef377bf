//! Turns a node that has a rule into a definition.

use std::ops::Range;

use gristmill_pipeline::port::{Definition, DefinitionKind, Linkage, NamePath, Span};
use tree_sitter::Node;

use super::{Frame, OpenEnded, Walk, row};
use crate::parse::doc::{Doc, signature};
use crate::parse::keys::KeyHint;
use crate::parse::kinds::Role;
use crate::spec::{Found, Seen, Verdict, byte, children, is_callable, is_type};

impl<'t> Walk<'t> {
    /// Applies the rule of a node, and visits the node as what the rule decides.
    pub(super) fn candidate(&mut self, node: Node<'t>, index: usize) -> Option<Frame<'t>> {
        let rule = self.grammar.rules.get(index)?;
        let top = self.frames.last()?;
        if top.absorbed == Some(node.id()) {
            return Some(self.through(node));
        }
        let owner = top.definition.and_then(|d| self.out.definitions.get(d as usize));
        let mut found = Found {
            text: self.text,
            node,
            parent: top.node,
            owner: owner.map(|owner| owner.kind),
            local: top.local,
            kind: rule.kind,
            name: "".into(),
            more: Vec::new(),
            scope: "".into(),
            separator: None,
            body: None,
            doc: None,
            absorbed: None,
            open: None,
            merges: false,
            linkage: None,
            seen: Seen::Inside,
        };
        match (rule.resolve)(&mut found) {
            Verdict::Definition if !found.name.is_empty() && self.allowed(&mut found) => Some(self.define(found)),
            Verdict::Lead => {
                self.lead(node, true);
                self.comments.extend(found.doc.map(|doc| byte(doc.start)..byte(doc.end)));
                None
            }
            Verdict::Inner => {
                if let (Some(doc), Some(owner)) = (found.doc, top.definition)
                    && let Some(definition) = self.out.definitions.get_mut(owner as usize)
                {
                    definition.doc = documentation(self.text, std::iter::once(byte(doc.start)..byte(doc.end)));
                }
                self.plain(node, false)
            }
            Verdict::Plain => self.plain(node, false),
            _ if top.local => self.plain(node, false),
            _ => Some(self.through(node)),
        }
    }

    /// Adjusts the kind to where the definition lies; returns `false` for a local variable.
    fn allowed(&self, found: &mut Found<'t>) -> bool {
        use DefinitionKind as K;
        if found.kind == K::Function && (found.in_type() || !found.scope.is_empty() && found.separator.is_some()) {
            found.kind = K::Method;
        }
        if found.kind == K::Variable && found.in_type() {
            found.kind = K::Field;
        }
        if found.kind == K::Method {
            let owner = self.frames.last().and_then(|frame| frame.definition);
            let owner = owner.and_then(|d| self.out.definitions.get(d as usize)).map_or("", |owner| &*owner.name);
            let like_type = self.grammar.constructor_is_named_like_type
                && (found.name == owner || found.scope.rsplit(self.grammar.separator).next() == Some(&found.name));
            if like_type || self.grammar.constructors.contains(&found.name.as_ref()) {
                found.kind = K::Constructor;
            }
        }
        !(found.local && matches!(found.kind, K::Variable | K::Constant | K::Field))
    }

    fn define(&mut self, found: Found<'t>) -> Frame<'t> {
        let node = found.node;
        // In broken code other definitions may lie between a wrap and this one.
        let before = self.out.definitions.last().map_or(0, |before| before.span.start_byte);
        let wrap = self.frames.last_mut().and_then(|frame| frame.wrap.take()).filter(|wrap| before <= wrap.start);
        let outer = wrap.map_or(node, |wrap| wrap.node);
        let outer_start = wrap.map_or_else(|| byte(node.start_byte()), |wrap| wrap.start);
        let lead = self.take_lead(wrap.is_none().then(|| row(node.start_position().row)));
        let extent_start = if lead.any { lead.start.min(outer_start) } else { outer_start };
        if let Some(rank) = found.open {
            self.close_open_ended(rank, extent_start);
        }
        let end = if found.open.is_some() {
            self.frames.last().map_or(outer.end_byte(), |frame| frame.node.end_byte())
        } else {
            outer.end_byte()
        };
        let end = byte(self.trimmed_end(end));
        // An implementation uses the name of its type.
        let named = std::iter::once(found.name.as_ref()).chain(found.more.iter().copied());
        for name in named.filter(|_| found.kind != DefinitionKind::Implementation) {
            self.uses.define(name);
        }

        if found.merges
            && let Some(frame) = self.merge(&found, end)
        {
            return frame;
        }

        let start = match self.head_start(outer) {
            start if start < end => start,
            _ => outer_start,
        };
        if start >= end {
            return self.through(node);
        }
        let parent = self.frames.last().and_then(|frame| frame.definition);
        let span = Span { start_byte: start, end_byte: end, start_line: 0, end_line: 0 };
        let head = self.signature_of(&found, start, end);
        let comments = self.frames.last().map_or(0, |frame| frame.comments).min(self.comments.len());
        let doc = match &found.doc {
            Some(doc) => documentation(self.text, std::iter::once(byte(doc.start)..byte(doc.end))),
            None if lead.any => {
                let text = self.text;
                documentation(text, self.comments.drain(comments..))
            }
            None => "".into(),
        };
        self.comments.truncate(comments);

        let index = byte(self.out.definitions.len());
        // A name that the parser made up where one is missing has no text.
        let more = found.more.iter().copied().filter(|name| !name.is_empty());
        for name in std::iter::once(found.name.as_ref()).chain(more) {
            self.out.definitions.push(Definition {
                name: name.into(),
                qualified_name: self.qualify(parent, &found, name),
                kind: found.kind,
                signature: head.clone(),
                doc: doc.clone(),
                span,
                extent_start: extent_start.min(start),
                parent,
                key: NamePath::UNKNOWN,
            });
            self.hints.push(KeyHint {
                scope: found.scope.as_ref().into(),
                linkage: found.linkage.or(self.grammar.scope_kinds.contains(&found.kind).then_some(Linkage::Scope)),
                seen: found.seen,
            });
        }

        let mut frame = self.frame(node);
        frame.absorbed = found.absorbed;
        if is_callable(found.kind) {
            frame.local = true;
        } else if is_type(found.kind) || matches!(found.kind, DefinitionKind::Module | DefinitionKind::Type) {
            frame.local = false;
        }
        let opens = frame.blocks;
        let begins = found.open.is_some() || self.begins_line(outer);
        let block = begins.then(|| self.blocks.open(extent_start, end, index)).flatten();
        if let Some(rank) = found.open {
            let outer_definition = self.frames.last().and_then(|frame| frame.definition);
            self.open_ended.push(OpenEnded { rank, definition: index, outer: outer_definition, blocks: opens });
            if let Some(top) = self.frames.last_mut() {
                top.definition = Some(index);
            }
            // Its block stays open when its node is left.
            frame.blocks = self.blocks.depth();
            frame.open = self.open_ended.len();
        }
        frame.definition = Some(index);
        if let Some(top) = self.frames.last_mut() {
            top.last = Some((index, block));
        }
        frame
    }

    /// Extends the definition before this one, if it has the same name.
    fn merge(&mut self, found: &Found<'t>, end: u32) -> Option<Frame<'t>> {
        let (index, block) = self.frames.last()?.last?;
        let before = self.out.definitions.get_mut(index as usize)?;
        if *before.name != *found.name {
            return None;
        }
        before.span.end_byte = end;
        let mut frame = self.frame(found.node);
        frame.definition = Some(index);
        frame.local = true;
        if let Some(block) = block {
            self.blocks.extend(block, byte(found.node.start_byte()), end);
        }
        Some(frame)
    }

    /// Returns the signature: the text from `start` to the body.
    fn signature_of(&self, found: &Found<'t>, start: u32, end: u32) -> Box<str> {
        // The fields of a tuple struct are part of its head.
        let tuple = |body: &Node<'t>| self.text.get(body.byte_range()).is_some_and(|text| text.starts_with('('));
        let body = found.body.or_else(|| found.field("body").filter(|body| !tuple(body))).or_else(|| {
            let bodies = self.grammar.bodies;
            if bodies.is_empty() { None } else { children(found.node).find(|child| bodies.contains(&child.kind())) }
        });
        let until = match body {
            Some(body) => byte(body.start_byte()).max(start),
            _ if found.open.is_some() => byte(found.node.end_byte()),
            _ => end,
        };
        signature(self.text.get(start as usize..until as usize).unwrap_or_default())
    }

    fn qualify(&self, parent: Option<u32>, found: &Found<'t>, name: &str) -> Box<str> {
        use DefinitionKind as K;
        let parent = parent.and_then(|parent| self.out.definitions.get(parent as usize));
        let member = matches!(found.kind, K::Method | K::Constructor | K::Field | K::Constant | K::Variant)
            && (parent.is_some_and(|parent| is_type(parent.kind)) || !found.scope.is_empty());
        let last =
            found.separator.unwrap_or(if member { self.grammar.member_separator } else { self.grammar.separator });
        let mut qualified = String::new();
        if let Some(parent) = parent {
            qualified.push_str(&parent.qualified_name);
        }
        if !found.scope.is_empty() {
            if !qualified.is_empty() {
                qualified.push_str(self.grammar.separator);
            }
            qualified.push_str(&found.scope);
        }
        if !qualified.is_empty() {
            qualified.push_str(last);
        }
        qualified.push_str(name);
        qualified.into()
    }

    /// Returns where a definition begins behind the attributes at its front.
    fn head_start(&self, node: Node<'t>) -> u32 {
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return byte(node.start_byte());
        }
        loop {
            let child = cursor.node();
            match self.kinds.of(child).role {
                Role::Attribute | Role::Comment => {}
                // Only modifiers nest attributes, and they do not nest themselves.
                Role::Modifiers => {
                    let mut inner = child.walk();
                    let mut more = inner.goto_first_child();
                    if !more {
                        return byte(child.start_byte());
                    }
                    while more {
                        let part = inner.node();
                        if self.kinds.of(part).role != Role::Attribute {
                            return byte(part.start_byte());
                        }
                        more = inner.goto_next_sibling();
                    }
                }
                _ => return byte(child.start_byte()),
            }
            if !cursor.goto_next_sibling() {
                return byte(node.start_byte());
            }
        }
    }
}

/// Returns the text of comments or a docstring without marks.
fn documentation(text: &str, comments: impl IntoIterator<Item = Range<u32>>) -> Box<str> {
    let mut doc = Doc::default();
    for comment in comments {
        doc.push(text.get(comment.start as usize..comment.end as usize).unwrap_or_default());
    }
    doc.finish()
}
