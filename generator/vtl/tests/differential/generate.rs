//! Random templates.

use serde_json::{Value, json};
use stackgen_vtl::UnresolvedReferences;

use crate::velocity::Case;

/// Source of random numbers that depends only on its seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit as u64).expect("it is below a usize")
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Variables that the templates use.
pub(crate) fn variables() -> Value {
    json!({
        "a": 7, "b": -3, "big": 5_000_000_000_i64, "f": 2.5, "t": true, "n": false, "nil": null,
        "s": "Hello, World", "e": "", "u": "zürich €", "num": "42",
        "l": [1, 2, 3], "ls": ["x", "y", "z"], "mixed": [1, "one", null, true, 1.5, [2], {"k": "v"}],
        "m": {"k": "v", "n": 1, "in": {"deep": [1, {"x": "y"}]}, "key with blank": 2, "empty": ""},
        "el": [], "em": {},
    })
}

/// Returns a random case.
pub(crate) fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let mut generator = Generator {
        random: &mut random,
        depth: 0,
    };
    let mut template = generator.block();
    if random.chance(4) {
        template = mutate(&mut random, &template);
    }
    let unresolved = match random.below(2) {
        0 => UnresolvedReferences::Source,
        _ => UnresolvedReferences::Empty,
    };
    Case {
        template,
        variables: variables(),
        unresolved,
    }
}

/// Deletes, repeats or inserts a few characters.
pub(crate) fn mutate(random: &mut Random, template: &str) -> String {
    let mut chars: Vec<char> = template.chars().collect();
    for _ in 0..=random.below(3) {
        if chars.is_empty() {
            break;
        }
        let at = random.below(chars.len());
        match random.below(3) {
            0 => {
                chars.remove(at);
            }
            1 => chars.insert(at, chars[at]),
            _ => {
                let inserted = random.pick(&[
                    "#", "$", "\\", "\"", "'", "(", ")", "[", "]", "{", "}", "!", ".", "..", ",",
                    " ", "\n", "\r\n", "\t", "-", "##", "#*", "*#", "#[[", "]]#", "#end", "$!",
                    "@", "|", "é",
                ]);
                chars.splice(at..at, inserted.chars());
            }
        }
    }
    chars.into_iter().collect()
}

struct Generator<'a> {
    random: &'a mut Random,
    depth: usize,
}

impl Generator<'_> {
    fn block(&mut self) -> String {
        let length = 1 + self.random.below(if self.depth == 0 { 6 } else { 3 });
        (0..length).map(|_| self.part()).collect()
    }

    fn inner(&mut self) -> String {
        self.depth += 1;
        let block = if self.depth > 4 {
            "x".to_owned()
        } else {
            self.block()
        };
        self.depth -= 1;
        block
    }

    fn part(&mut self) -> String {
        match self.random.below(20) {
            0..=5 => self.text(),
            6..=9 => self.reference(),
            10 | 11 => self.set(),
            12 | 13 => self.condition(),
            14 | 15 => self.foreach(),
            16 => self.comment(),
            17 => self.escape(),
            18 => self.macros(),
            _ => self.other(),
        }
    }

    fn text(&mut self) -> String {
        let parts = [
            "text", " ", "\n", "  ", "\t", " \n", "\r\n", "{\"k\": ", "}", ", ", ".", "(", ")",
            "[0]", "a.b", "-", "!", "'", "\"", "#", "$", "$ ", "# ", "\\", "\\\\", "$5", "#1",
            "#-1", "$.", "$[", "$![", "é😀", "@x", "~",
        ];
        let length = 1 + self.random.below(3);
        (0..length).map(|_| self.random.pick(&parts)).collect()
    }

    fn name(&mut self) -> &'static str {
        self.random.pick(&[
            "a",
            "b",
            "big",
            "f",
            "t",
            "n",
            "nil",
            "s",
            "e",
            "u",
            "num",
            "l",
            "ls",
            "mixed",
            "m",
            "el",
            "em",
            "missing",
            "x",
            "y",
            "i",
            "foreach",
            "velocityCount",
            "velocityHasNext",
            "blk",
        ])
    }

    fn reference(&mut self) -> String {
        let accesses = self.accesses();
        let name = self.name();
        match self.random.below(6) {
            0 => format!("${{{name}{accesses}}}"),
            1 => format!("$!{name}{accesses}"),
            2 => format!("$!{{{name}{accesses}}}"),
            _ => format!("${name}{accesses}"),
        }
    }

    fn accesses(&mut self) -> String {
        let mut accesses = String::new();
        while self.random.chance(2) && accesses.len() < 60 {
            let access = match self.random.below(4) {
                0 => format!(
                    ".{}",
                    self.random.pick(&[
                        "k", "n", "in", "deep", "empty", "key", "value", "index", "count",
                        "hasNext", "first", "last", "parent", "size", "true", "x-y",
                    ])
                ),
                1 => {
                    let blank = self.random.pick(&["", "", " "]);
                    format!("[{blank}{}{blank}]", self.index())
                }
                _ => self.method(),
            };
            accesses.push_str(&access);
        }
        accesses
    }

    fn index(&mut self) -> String {
        match self.random.below(4) {
            0 => format!("${}", self.name()),
            1 => format!("'{}'", self.random.pick(&["k", "n", "in", "missing"])),
            _ => self
                .random
                .pick(&["0", "1", "-1", "2", "5", "true"])
                .to_owned(),
        }
    }

    fn method(&mut self) -> String {
        let (name, count) = [
            ("size", 0),
            ("isEmpty", 0),
            ("length", 0),
            ("toString", 0),
            ("get", 1),
            ("contains", 1),
            ("put", 2),
            ("add", 1),
            ("remove", 1),
            ("set", 2),
            ("indexOf", 1),
            ("lastIndexOf", 1),
            ("substring", 1),
            ("substring", 2),
            ("replace", 2),
            ("toUpperCase", 0),
            ("toLowerCase", 0),
            ("trim", 0),
            ("startsWith", 1),
            ("endsWith", 1),
            ("equals", 1),
            ("equalsIgnoreCase", 1),
            ("concat", 1),
            ("charAt", 1),
            ("compareTo", 1),
            ("hashCode", 0),
            ("intValue", 0),
            ("doubleValue", 0),
            ("longValue", 0),
            ("parseInt", 1),
            ("keySet", 0),
            ("values", 0),
            ("entrySet", 0),
            ("containsKey", 1),
            ("containsValue", 1),
            ("getKey", 0),
            ("addAll", 1),
            ("subList", 2),
            ("clear", 0),
            ("putAll", 1),
            ("hasNext", 0),
            ("add", 2),
            ("removeAll", 1),
            ("nope", 1),
            ("codePointAt", 1),
            ("indexOf", 2),
            ("containsAll", 1),
            ("isFirst", 0),
            ("getIndex", 0),
        ][self.random.below(49)];
        let arguments: Vec<String> = (0..count).map(|_| self.argument()).collect();
        format!(
            ".{name}({})",
            arguments.join(self.random.pick(&[",", ", ", " , "]))
        )
    }

    fn argument(&mut self) -> String {
        match self.random.below(9) {
            0 | 1 => format!("${}", self.name()),
            2 => self
                .random
                .pick(&["0", "1", "2", "-1", "12", "100"])
                .to_owned(),
            3 => self.string(),
            4 => "\"o\"".to_owned(),
            5 => self
                .random
                .pick(&["true", "false", "1.5", "[1, 2]", "[1..3]", "{}", "[]"])
                .to_owned(),
            _ => format!(
                "'{}'",
                self.random
                    .pick(&["k", "l", "Hello", "", "x", "1", "World"])
            ),
        }
    }

    fn string(&mut self) -> String {
        let content = match self.random.below(8) {
            0 => self
                .random
                .pick(&[
                    "a''b",
                    "a\"\"b",
                    "\\u0041",
                    "##",
                    "#if($t)y#end",
                    "$",
                    "#",
                    "\\$a",
                    "$!x.",
                ])
                .to_owned(),
            1 => format!("${}", self.name()),
            2 => format!("${{{}}}!", self.name()),
            3 => format!("x{}", self.reference()),
            4 => self.text(),
            _ => self
                .random
                .pick(&["", "abc", "Hello", "42", "k"])
                .to_owned(),
        };
        let content = content.replace(['"', '\''], "");
        let quote = self.random.pick(&["\"", "\"", "'"]);
        format!("{quote}{content}{quote}")
    }

    fn primary(&mut self) -> String {
        match self.random.below(12) {
            0..=3 => self.reference().replace("$!", "$"),
            4 => self
                .random
                .pick(&[
                    "0",
                    "1",
                    "-1",
                    "7",
                    "2147483647",
                    "9223372036854775807",
                    "007",
                ])
                .to_owned(),
            5 => self
                .random
                .pick(&[
                    "1.5",
                    "2.0",
                    "-0.5",
                    "1e3",
                    "1.0e-5",
                    ".5",
                    "100000000.0",
                    "3.",
                ])
                .to_owned(),
            6 => self.string(),
            7 => self.random.pick(&["true", "false"]).to_owned(),
            8 => format!("[{}, {}]", self.argument(), self.argument()),
            9 => format!("{{{} : {}}}", self.string(), self.argument()),
            10 => self
                .random
                .pick(&[
                    "[1..3]",
                    "[3..1]",
                    "[$a..5]",
                    "[ 1 .. 2 ]",
                    "[]",
                    "{}",
                    "[$s..2]",
                ])
                .to_owned(),
            _ => format!("({})", self.expression()),
        }
    }

    fn expression(&mut self) -> String {
        self.depth += 1;
        let deep = self.depth > 6;
        let mut expression = self.primary_or_not(deep);
        while !deep && self.random.chance(3) {
            let operator = self.random.pick(&[
                "+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "eq", "ne",
                "lt", "gt", "le", "ge", "and", "or",
            ]);
            let right = self.primary_or_not(deep);
            let blank = if operator.chars().all(char::is_alphabetic) {
                " "
            } else {
                self.random.pick(&[" ", " ", ""])
            };
            expression = format!("{expression}{blank}{operator}{blank}{right}");
        }
        self.depth -= 1;
        expression
    }

    fn primary_or_not(&mut self, deep: bool) -> String {
        let not = self.random.pick(&["", "", "", "", "!", "! ", "not "]);
        let value = if deep {
            format!("${}", self.name())
        } else {
            self.primary()
        };
        format!("{not}{value}")
    }

    fn set(&mut self) -> String {
        let target = match self.random.below(8) {
            0 => format!("$m.{}", self.random.pick(&["k", "new", "in"])),
            1 => format!("$l[{}]", self.random.pick(&["0", "1", "-1", "9"])),
            2 => format!("$m['{}']", self.random.pick(&["k", "new"])),
            3 => format!("$!{}", self.name()),
            4 => format!("$missing.{}", self.random.pick(&["k", "new"])),
            _ => format!("${}", self.name()),
        };
        let before = self.random.pick(&["", "", "  ", "\n", "\n  "]);
        let after = self.random.pick(&["", "", "\n", " \n", "  ", "\r\n"]);
        let name = self.random.pick(&["#set", "#set ", "#{set}"]);
        let blank = self.random.pick(&["", " ", "\n"]);
        format!(
            "{before}{name}({blank}{target} = {}{blank}){after}",
            self.expression()
        )
    }

    fn line_end(&mut self) -> &'static str {
        self.random
            .pick(&["", "", "\n", " \n", "  ", "\r\n", "\t\n"])
    }

    fn condition(&mut self) -> String {
        let mut text = format!(
            "#if({}){}{}",
            self.expression(),
            self.line_end(),
            self.inner()
        );
        while self.random.chance(3) {
            text += &format!(
                "#elseif({}){}{}",
                self.expression(),
                self.line_end(),
                self.inner()
            );
        }
        if self.random.chance(2) {
            text += &format!(
                "{}{}{}",
                self.random.pick(&["#else", "#{else}"]),
                self.line_end(),
                self.inner()
            );
        }
        text + self.random.pick(&["#end", "#{end}"]) + self.line_end()
    }

    fn foreach(&mut self) -> String {
        let list = match self.random.below(5) {
            0 => "[1..3]".to_owned(),
            1 => "$m.entrySet()".to_owned(),
            2 => self.argument(),
            _ => format!(
                "${}",
                self.random
                    .pick(&["l", "ls", "mixed", "m", "el", "x", "nil"])
            ),
        };
        let name = self.random.pick(&["x", "y", "i"]);
        let body = match self.random.below(4) {
            0 => format!("${name}#if($foreach.hasNext),#end"),
            1 => format!("{}#if($foreach.index == 1)#break#end", self.inner()),
            _ => self.inner(),
        };
        format!(
            "#foreach(${name} in {list}){}{body}#end{}",
            self.line_end(),
            self.line_end()
        )
    }

    fn comment(&mut self) -> String {
        self.random
            .pick(&[
                "## line\n",
                "##\n",
                "  ## line\r\n",
                "#* block *#",
                "#** formal *#",
                "#**#",
                "#*\n$a\n*#\n",
                "##$a #if\n",
                "#[[ $a #if ]]#",
                "#[[]]#",
                "#*#*#",
                "x##y\n",
                "$a##y\n",
                "## end",
            ])
            .to_owned()
    }

    fn escape(&mut self) -> String {
        let slashes = self.random.pick(&["\\", "\\\\", "\\\\\\", "\\\\\\\\"]);
        let after = self.random.pick(&[
            "$a",
            "$missing",
            "#if($t)x#end",
            "#end",
            "#set($x = 1)",
            "#foreach",
            "#nope",
            "$!a",
            "${a}",
            "#{if}",
            "$",
            "#",
            "n",
            "$m.k",
            "#macro",
            "$\\!a",
            "#else",
            "#mac",
            "$!missing",
        ]);
        format!("{slashes}{after}")
    }

    fn macros(&mut self) -> String {
        match self.random.below(6) {
            0 | 1 => {
                let body = match self.random.below(3) {
                    0 => "[$p1|$p2]".to_owned(),
                    1 => "$!p1 #set($p1 = 5)$p1 $bodyContent".to_owned(),
                    _ => self.inner(),
                };
                format!("#macro(mac $p1 $p2){body}#end{}", self.line_end())
            }
            2 => format!("#@mac({}){}#end", self.argument(), self.inner()),
            _ => {
                let count = self.random.below(4);
                let arguments: Vec<_> = (0..count).map(|_| self.argument()).collect();
                let separator = self.random.pick(&[" ", ", ", ","]);
                let name = self
                    .random
                    .pick(&["#mac", "#mac", "#mac ", "#{mac}", "#nope"]);
                format!("{name}({}){}", arguments.join(separator), self.line_end())
            }
        }
    }

    fn other(&mut self) -> String {
        match self.random.below(10) {
            7 | 8 => self.regex(),
            9 => self.format(),
            0 => format!("#define($blk){}#end", self.inner()),
            1 => format!("#evaluate({})", self.string()),
            2 => format!("#evaluate(${})", self.name()),
            3 => "#stop".to_owned(),
            4 => "#break".to_owned(),
            5 => format!("#literal(){}#end", self.inner()),
            _ => "$blk".to_owned(),
        }
    }

    fn regex(&mut self) -> String {
        let subject = self.random.pick(&["s", "u", "num", "e", "m.in.toString()"]);
        let pattern = self.random.pick(&[
            "[a-z]+",
            "\\d",
            "(o|l)+",
            "o(?=,)",
            "^H",
            "d$",
            "\\W",
            "[^a-z]",
            ".",
            "",
            "l{2}",
            "\\bW",
            "(?i)h",
            "a|",
            "x*",
            "\\.",
            "[\\s,]+",
            "\\p{Upper}",
            "(l)(o)?",
            "[\\w&&[^l]]",
            "\\Qlo\\E",
            "l*?o",
            "(.)\\1",
            "[",
            "(?<x>l+)o",
            "\\S+",
            "[\\d\\-]",
            "^",
            "$",
            "(?<!l)o",
            "[{}]",
            "=",
            "\\{",
            "l++",
            "\\u00fc",
            "\\x6c",
            "[^\\W]",
        ]);
        let replacement = self.random.pick(&[
            "", "_", "$0", "<$0>", "$1", "\\$", "\\\\", "$1$0", "$", "${x}", "$9", "a$01",
        ]);
        let pattern = pattern.replace('\'', "''");
        match self.random.below(4) {
            0 => format!("${subject}.replaceAll('{pattern}', '{replacement}')"),
            1 => format!("${subject}.replaceFirst('{pattern}', '{replacement}')"),
            2 => format!("${subject}.matches('{pattern}') ${subject}.matches('.*{pattern}.*')"),
            _ => {
                let limit = self.random.pick(&["", ", 2", ", -1", ", 0", ", 1"]);
                format!("#foreach($x in ${subject}.split('{pattern}'{limit}))[$x]#end")
            }
        }
    }

    fn format(&mut self) -> String {
        let format = self.random.pick(&[
            "%s", "%5s|", "%-5s|", "%d", "%05d", "%+d", "%,d", "%x", "%X", "%.2f", "%8.3f", "%b",
            "%c", "%%", "%n", "%s %s", "%S", "%.1s", "%",
        ]);
        let values = [self.argument(), self.argument()];
        let count = 1 + self.random.below(2);
        format!("$s.format('{format}', {})", values[..count].join(", "))
    }
}
