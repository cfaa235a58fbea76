//! Random references and expressions.

use crate::generate::Generator;

impl Generator<'_> {
    pub(super) fn name(&mut self) -> &'static str {
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

    pub(super) fn reference(&mut self) -> String {
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

    pub(super) fn argument(&mut self) -> String {
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

    pub(super) fn string(&mut self) -> String {
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

    pub(super) fn expression(&mut self) -> String {
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

    pub(super) fn regex(&mut self) -> String {
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

    pub(super) fn format(&mut self) -> String {
        let format = self.random.pick(&[
            "%s", "%5s|", "%-5s|", "%d", "%05d", "%+d", "%,d", "%x", "%X", "%.2f", "%8.3f", "%b",
            "%c", "%%", "%n", "%s %s", "%S", "%.1s", "%",
        ]);
        let values = [self.argument(), self.argument()];
        let count = 1 + self.random.below(2);
        format!("$s.format('{format}', {})", values[..count].join(", "))
    }
}
