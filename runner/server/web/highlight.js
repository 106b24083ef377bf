// Tokenises code for syntax colours, with an approximate grammar for all languages.

const KEYWORDS = new Set(
  `abstract and as assert async await begin bool boolean break byte case catch chan char class const constexpr continue crate debugger
  def default defer del delete do double dyn elif else elsif end enum except explicit export extends extern fallthrough false False
  final finally fixed float fn for foreach from fun func function global go goto guard if impl implements import in include init inline
  instanceof int interface internal is lambda let local long loop map match mod module move mut mutable namespace native new nil none
  None not null nullptr object of open operator or override package pass private proc protected protocol pub public raise range
  readonly ref register require rescue return sealed select self Self short signed sizeof static string struct super switch
  synchronized template then this throw throws trait true True False try type typedef typename typeof undefined union unless unsafe
  unsigned until use using val var virtual void volatile when where while with yield`.split(/\s+/),
);
const LITERALS = new Set(["true", "false", "null", "yes", "no"]);
const DATA = new Set(["json", "yaml", "toml", "css", "html", "xml"]);
const HASHED = new Set(["python", "ruby", "bash", "toml", "yaml", "elixir", "php", "r", "perl", "make", "dockerfile"]);
const grammars = new Map();

/** An approximate grammar of a language's comments and strings. */
function grammar(language) {
  if (language === "text") return null;
  const slashes = String.raw`\/\/.*|\/\*[^]*?(?:\*\/|$)`, hash = String.raw`(?<![\w$\x26{])#.*`;
  const double = String.raw`"(?:\\[^]|[^"\\\n])*"?`, single = String.raw`'(?:\\.|[^'\\\n])*'`;
  const char = String.raw`b?'(?:\\[^'\n]+|[^'\\\n])'`, tick = "`(?:\\\\[^]|[^`\\\\])*`?";
  const comment = {
    markdown: "^#{1,6} .*|<!--[^]*?(?:-->|$)", html: "<!--[^]*?(?:-->|$)", css: String.raw`\/\*[^]*?(?:\*\/|$)`, php: `${slashes}|${hash}`,
    haskell: String.raw`--.*|\{-[^]*?(?:-\}|$)`, lua: String.raw`--\[\[[^]*?(?:\]\]|$)|--.*`, sql: "--.*",
  }[language] ?? (HASHED.has(language) ? hash : slashes);
  const string = {
    markdown: tick, html: double, haskell: `${double}|${char}`, go: `${tick}|${double}|${char}`,
    rust: String.raw`b?r(?<fence>#*)"[^]*?"\k<fence>|b?${double}|${char}`,
    python: String.raw`[rbfuRBFU]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${double}|${single})`,
  }[language] ?? (/script|^tsx$/.test(language) ? `${tick}|${double}|${single}` : `${double}|${single}`);
  return new RegExp(String.raw`(${comment})|(?<string>${string})|(?<number>\b\d\w*(?:\.\d\w*)?)|(?<word>[\p{L}_$][\p{L}\p{N}_$]*)`, "gmu");
}

/** The tokens of a text: from, to, class (`c`omment, `s`tring, `n`umber, `k`eyword, `t`ype, `f`unction, `i`dentifier). */
export function tokensOf(text, language, isPart) {
  if (!grammars.has(language)) grammars.set(language, grammar(language));
  const expression = grammars.get(language);
  if (!expression) return [];
  const keywords = language === "markdown" ? new Set() : DATA.has(language) ? LITERALS : KEYWORDS;
  const isCode = keywords === KEYWORDS;
  const tokens = [];
  // An excerpt may begin within a comment.
  const within = isPart && isCode && !HASHED.has(language) && /^(?:(?!\/\*)[^"'`])*?\*\/(?=[ \t]*(?:\n|$))/.exec(text);
  const inside = within ? within[0].length : 0;
  if (inside) tokens.push([0, inside, "c"]);
  expression.lastIndex = inside;
  for (let found; (found = expression.exec(text)); ) {
    const end = expression.lastIndex;
    if (end === found.index) {
      expression.lastIndex++;
      continue;
    }
    const { string, number, word } = found.groups;
    const kindOfWord = () => {
      // A method may have the name of a keyword.
      if (keywords.has(word) && !/[.:]/.test(text[found.index - 1])) return "k";
      return !isCode ? "" : text[end] === "(" ? "f" : /^\p{Lu}/u.test(word) ? "t" : "i";
    };
    const kind = word ? kindOfWord() : string ? "s" : number ? "n" : language === "markdown" ? "k" : "c";
    if (kind) tokens.push([found.index, end, kind]);
  }
  return tokens;
}
