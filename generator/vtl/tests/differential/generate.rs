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

    pub(super) fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    pub(super) fn chance(&mut self, one_in: usize) -> bool {
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

pub(super) struct Generator<'a> {
    pub(super) random: &'a mut Random,
    pub(super) depth: usize,
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

    pub(super) fn text(&mut self) -> String {
        let parts = [
            "text", " ", "\n", "  ", "\t", " \n", "\r\n", "{\"k\": ", "}", ", ", ".", "(", ")",
            "[0]", "a.b", "-", "!", "'", "\"", "#", "$", "$ ", "# ", "\\", "\\\\", "$5", "#1",
            "#-1", "$.", "$[", "$![", "é😀", "@x", "~",
        ];
        let length = 1 + self.random.below(3);
        (0..length).map(|_| self.random.pick(&parts)).collect()
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
}
