//! Items in calls of macros: `cfg_if!`, `thread_local!`, `lazy_static!`, `bitflags!` and all others
//! whose tokens are items.

use tree_sitter::Node;

use crate::spec::{Embedded, Piece, children};

pub(super) const EMBEDDED: Embedded = Embedded {
    node: "macro_invocation",
    statement: "expression_statement",
    within: &["expression_statement", "mod_item", "impl_item", "trait_item", "declaration_list", "foreign_mod_item"],
    pieces,
};

/// Words that begin an item.
const ITEMS: &[&str] =
    &["fn", "struct", "enum", "union", "trait", "impl", "mod", "const", "static", "type", "use", "extern"];

/// Limit on the nesting of branches in a call.
const MAX_BRANCHES: usize = 8;

/// Returns the pieces of a call that may be items: all that it holds, or the branches of `cfg_if!`,
/// `cfg_select!` and their kin.
fn pieces(text: &str, call: Node<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let Some(tokens) = children(call).find(|child| child.kind() == "token_tree") else { return pieces };
    let mut trees = vec![(tokens, 0)];
    while let Some((tree, depth)) = trees.pop() {
        let branches = branches(text, tree);
        if branches.is_empty() {
            pieces.extend(items(text, tree));
        } else if depth < MAX_BRANCHES {
            trees.extend(branches.into_iter().rev().map(|branch| (branch, depth + 1)));
        }
    }
    pieces
}

/// Returns the braces after `if #[…]`, `else` and `… =>`. Nothing for tokens that are no branches.
fn branches<'t>(text: &str, tree: Node<'t>) -> Vec<Node<'t>> {
    let mut branches = Vec::new();
    let mut before: [&str; 3] = [""; 3];
    for token in tokens_of(tree).into_iter().skip(1).filter(|token| !token.kind().ends_with("comment")) {
        let token_text = slice(text, token);
        if token_text.starts_with('{') && token.kind() == "token_tree" {
            // `if # […] {`, `else {`, `… = > {` or `… => {`
            let [third, second, first] = before;
            let is_branch = first == "else" || first == "=>" || (second == "#" && third == "if");
            if !is_branch {
                return Vec::new();
            }
            branches.push(token);
        }
        before.rotate_left(1);
        before[2] = token_text;
    }
    branches
}

/// Returns the tokens of a call as a piece, if an item may be among them.
fn items(text: &str, tree: Node<'_>) -> Option<Piece> {
    let all = tokens_of(tree);
    let [open, inner @ .., close] = all.as_slice() else { return None };
    let range = open.end_byte()..close.end_byte();
    let has_items = inner.iter().any(|token| ITEMS.contains(&slice(text, *token)));
    let source = text.get(range.clone())?;
    // Variables of a macro's own definition, as in `quote!`, are no code.
    if !has_items || source.contains('$') {
        return None;
    }
    let mut piece = Piece { start: open.end_position(), text: source.as_bytes().to_vec(), range };
    // The last item of `thread_local!` may lack its semicolon; one too many is an empty item.
    piece.put(close.byte_range(), b";");
    for (at, token) in inner.iter().enumerate() {
        let before =
            |back: usize| at.checked_sub(back).and_then(|at| inner.get(at)).map_or("", |token| slice(text, *token));
        match slice(text, *token) {
            // `static ref NAME: Type = …;`
            "ref" if before(1) == "static" => piece.put(token.byte_range(), b""),
            "struct" => constants(text, inner, at, &mut piece),
            _ => {}
        }
    }
    Some(piece)
}

/// Turns `struct Name: u32 { const A = 1; }`, of `bitflags!`, into an enum with variants, which has
/// its syntax but for the words.
fn constants(text: &str, tokens: &[Node<'_>], at: usize, piece: &mut Piece) {
    let Some([keyword, _, colon, of, body, ..]) = tokens.get(at..) else { return };
    let members = tokens_of(*body);
    let is_flags = slice(text, *colon) == ":"
        && body.kind() == "token_tree"
        && slice(text, *body).starts_with('{')
        && members.iter().any(|token| slice(text, *token) == "const");
    if !is_flags {
        return;
    }
    piece.put(keyword.byte_range(), b"enum");
    piece.put(colon.start_byte()..of.end_byte(), b"");
    let mut unnamed = false;
    for (at, member) in members.iter().enumerate() {
        let word = slice(text, *member);
        // `const _ = !0;` names nothing.
        unnamed |= word == "const" && members.get(at + 1).is_some_and(|name| slice(text, *name) == "_");
        if unnamed {
            unnamed = word != ";";
            piece.put(member.byte_range(), b"");
        } else if word == "const" {
            piece.put(member.byte_range(), b"");
        } else if word == ";" {
            piece.put(member.byte_range(), b",");
        }
    }
}

impl Piece {
    /// Writes over a range of the text: `with`, and blanks. Line breaks stay.
    fn put(&mut self, range: std::ops::Range<usize>, with: &[u8]) {
        let offset = self.range.start;
        let mut with = with.iter().copied();
        for at in range {
            if let Some(byte) = at.checked_sub(offset).and_then(|at| self.text.get_mut(at))
                && !matches!(byte, b'\n' | b'\r')
            {
                *byte = with.next().unwrap_or(b' ');
            }
        }
    }
}

/// All children of a node, with punctuation.
fn tokens_of<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

fn slice<'t>(text: &'t str, node: Node<'_>) -> &'t str {
    text.get(node.byte_range()).unwrap_or_default()
}
