//! Broken variants of texts: truncated, repeated, deepened and spliced.

/// Numbers that a seed determines (splitmix64).
pub struct Random(u64);

impl Random {
    /// Starts from the parts of a seed.
    pub fn new(parts: &[String]) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(parts.iter().flat_map(|part| part.bytes().chain([0])).fold(0xcbf2_9ce4_8422_2325, fold))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is at least 1.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        &choices[self.below(choices.len())]
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A stretch of a text, mostly short.
    fn stretch<'t>(&mut self, text: &'t str) -> &'t str {
        let start = self.place(text);
        let longest = *self.of(&[4, 40, 400, 4000]);
        let mut end = (start + 1 + self.below(longest)).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        &text[start..end]
    }

    fn count(&mut self) -> usize {
        let most = *self.of(&[3, 30, 300, 3000]);
        1 + self.below(most)
    }
}

/// What opens something in one language or another.
#[rustfmt::skip]
const OPENINGS: &[&str] = &[
    "(", "[", "{", "<", "<a>", "<div>", "<x-y>", "<script>", "<style>", "- ", "? ", ": ", "> ", ">", "* ", "1. ",
    "+ ", "#", "# ", "```\n", "~~~", "`", "\"", "'", "'''", "\"\"\"", "\"#{", "\"${", "f\"{", "$\"{", "$@\"{",
    "${", "$(", "$((", "#{", "<<~EOF\n", "<<EOF\n", "<<-'EOF'\n", "<<\"EOF\"\n", "<<<EOF\n", "<<~\"A", "<<`A`\n",
    "R\"x(", "r#\"", "r###\"", "[[", "[==[", "--[=[", "/*", "/**", "(*", "{-", "<!--", "<![CDATA[", "//", "--",
    "%w(", "%q{", "%(", "%{", "~s(", "~S\"\"\"\n", "/", "?", "if x:\n ", "if (x) ", "if x then ", "do ", "do |x| ",
    "begin\n", "fn ", "fun ", "case x of\n ", "let x = ", "where\n ", "def f\n", "class A:\n ", "class A {",
    "function() {", "=> ", "-> ", "\\x -> ", "@", "@a(", "&", "!", "*", "**", "***", "__", "_", "![", "[^",
    "<?php ", "?>", "<?", "{{", "{%", "|", "||", "&&", "\\", "\\\n", ";", ",", "=", "a.", "a::", "a->", "#if A\n",
    "#define A \\\n", "\n ", "\n\t", "\n", "\r\n", "\r", "\u{0}", "\u{c}", "\u{b}", "\u{feff}", "\u{a0}",
    "\u{2028}", "\u{1F600}", "é", "e\u{301}", "\u{10FFFF}", "٣",
];

/// The most bytes of a variant.
const MOST_BYTES: usize = 60_000;

/// Makes a variant of one of the texts; `others` may be spliced into it.
pub fn variant(random: &mut Random, texts: &[String], others: &[String]) -> String {
    let mut text = random.of(texts).clone();
    if random.below(2) == 0 {
        // Small texts reach the depths of a grammar faster.
        text = random.stretch(&text).to_owned();
    }
    for _ in 0..=random.below(4) {
        change(random, &mut text, others);
        cut(&mut text);
    }
    text
}

fn change(random: &mut Random, text: &mut String, others: &[String]) {
    match random.below(9) {
        0 => text.truncate(random.place(text)),
        1 => drop(text.drain(..random.place(text))),
        2 => {
            let gone = random.stretch(text).to_owned();
            *text = text.replacen(&*gone, "", 1);
        }
        3 => {
            let again = random.stretch(text).repeat(random.count());
            insert(random, text, &again);
        }
        4 => {
            let opening = random.of(OPENINGS).repeat(random.count());
            insert(random, text, &opening);
        }
        5 => {
            let (one, other) = (*random.of(OPENINGS), *random.of(OPENINGS));
            let pairs = format!("{one}{other}").repeat(random.count());
            insert(random, text, &pairs);
        }
        6 => {
            let other = random.of(others);
            let part = random.stretch(other).to_owned();
            insert(random, text, &part);
        }
        7 => {
            // Lines that step to the right, as deeply nested code does.
            let line = random.stretch(text).lines().next().unwrap_or_default().trim().to_owned();
            let (steps, step) = (random.count().min(400), *random.of(&[" ", "  ", "\t", "- ", "> "]));
            let stairs: String = (0..steps).map(|depth| format!("\n{}{line}", step.repeat(depth))).collect();
            insert(random, text, &stairs);
        }
        _ => {
            // Names of their own, as each heredoc or tag has one.
            let (before, after) =
                (*random.of(&["<<~", "<<", "<", "<<<", "<<-", "#"]), *random.of(&[",", ">", "\n", " "]));
            let names: String = (0..random.count().min(600)).map(|nth| format!("{before}N{nth:04}{after}")).collect();
            insert(random, text, &names);
        }
    }
}

fn insert(random: &mut Random, text: &mut String, part: &str) {
    let at = random.place(text);
    text.insert_str(at, part);
}

fn cut(text: &mut String) {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
