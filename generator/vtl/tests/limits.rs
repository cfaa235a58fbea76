//! Templates that would run forever, fill the memory or overflow the stack.

use serde_json::json;
use stackgen_vtl::{
    MAX_TEMPLATE_BYTES, RenderLimits, RenderProblem, SyntaxProblem, TemplateVariables, VtlTemplate,
};

fn problem(template: &str) -> RenderProblem {
    let template = VtlTemplate::parse(template).expect("the template is correct");
    let mut variables = TemplateVariables::new();
    variables.set("l", json!([1, 2, 3]));
    variables.set("many", json!(vec![0; 1_001]));
    let limits = RenderLimits {
        work: 20_000_000,
        ..RenderLimits::default()
    };
    let error = template
        .render(&variables, &limits)
        .expect_err("a limit is exceeded");
    assert!(!error.hint().is_empty());
    error.problem
}

fn syntax_problem(template: &str) -> SyntaxProblem {
    let error = VtlTemplate::parse(template).expect_err("the template is refused");
    assert!(!error.hint().is_empty());
    error.problem
}

#[test]
fn a_loop_has_at_most_a_thousand_iterations() {
    assert_eq!(
        problem("#foreach($x in $many)#end"),
        RenderProblem::TooManyIterations(1_000)
    );
    let template = VtlTemplate::parse("#foreach($x in [1..1000])#end$x").expect("it is correct");
    let output = template.render(&TemplateVariables::new(), &RenderLimits::default());
    assert_eq!(output.as_deref(), Ok(""));
}

#[test]
fn nested_loops_end() {
    let loops = "#foreach($x in [1..1000])".repeat(6) + &"#end".repeat(6);
    assert!(matches!(problem(&loops), RenderProblem::TooMuchWork(_)));
}

#[test]
fn a_string_that_doubles_ends() {
    let template = format!(
        "#set($s = \"0123456789\"){}",
        "#set($s = \"$s$s\")".repeat(60)
    );
    assert!(matches!(
        problem(&template),
        RenderProblem::TooMuchWork(_) | RenderProblem::OutputTooLarge(_)
    ));
    let template = format!(
        "#set($s = \"0123456789\"){}",
        "#set($s = $s + $s)".repeat(60)
    );
    assert!(matches!(problem(&template), RenderProblem::TooMuchWork(_)));
    let template = format!(
        "#set($s = \"aaaaaaaaaa\"){}",
        "#set($s = $s.replace('a', $s))".repeat(60)
    );
    assert!(matches!(problem(&template), RenderProblem::TooMuchWork(_)));
}

#[test]
fn a_list_that_doubles_ends() {
    let template = "$!l.addAll($l)".repeat(60);
    assert!(matches!(problem(&template), RenderProblem::TooMuchWork(_)));
    let template = format!(
        "#set($r = [1..10]){}",
        "#set($r = [$r, $r, $r, $r])".repeat(60)
    ) + "$r";
    assert!(matches!(problem(&template), RenderProblem::TooMuchWork(_)));
}

#[test]
fn large_ranges_end() {
    assert!(matches!(
        problem("#set($r = [1..2147483647])$r"),
        RenderProblem::TooMuchWork(_)
    ));
    assert!(matches!(
        problem("#set($r = [-2147483648..2147483647])$r"),
        RenderProblem::TooMuchWork(_)
    ));
}

#[test]
fn a_long_output_ends() {
    let template = format!(
        "#foreach($x in [1..1000])#foreach($y in [1..1000]){}#end#end",
        "x".repeat(100)
    );
    assert_eq!(
        problem(&template),
        RenderProblem::OutputTooLarge(10_000_000)
    );
}

#[test]
fn recursion_ends() {
    assert!(matches!(
        problem("#macro(m)#m()#end#m()"),
        RenderProblem::MacroDepth(_)
    ));
    assert!(matches!(
        problem("#set($e = '#evaluate($e)')#evaluate($e)"),
        RenderProblem::TooDeep(_)
    ));
    let defines: String = (0..5_000)
        .map(|at| format!("#define($d{at})$d{}#end", at + 1))
        .collect();
    assert!(matches!(
        problem(&(defines + "$d0")),
        RenderProblem::TooDeep(_)
    ));
}

#[test]
fn deep_values_end() {
    let template = format!("{}$l", "#set($l = [$l])".repeat(5_000));
    assert!(matches!(problem(&template), RenderProblem::TooDeep(_)));
    let template = format!(
        "#set($k = $l){}#if($l == $k)#end",
        "#set($l = [$l])#set($k = [$k])".repeat(5_000)
    );
    assert!(matches!(
        problem(&template),
        RenderProblem::TooDeep(_) | RenderProblem::TooMuchWork(_)
    ));
    assert!(matches!(
        problem("#set($a = [1])#set($b = [$a])$!a.add($b)$a.hashCode()"),
        RenderProblem::TooDeep(_)
    ));
    assert!(matches!(
        problem("#set($a = [1])#set($b = [$a])$!a.add($b)$a"),
        RenderProblem::TooDeep(_)
    ));
}

#[test]
fn a_regular_expression_that_backtracks_ends() {
    let template = format!(
        "#set($s = '{}')$s.matches('(a|aa)*(?=b)c')",
        "a".repeat(5_000)
    );
    assert!(matches!(problem(&template), RenderProblem::Method { .. }));
    let template = "$l.toString().matches('((a{1,1000}){1,1000}){1,1000}')";
    assert!(matches!(problem(template), RenderProblem::Method { .. }));
}

#[test]
fn deep_syntax_is_refused() {
    let deep = [
        "#if($t)".repeat(10_000),
        format!("#if({}", "(".repeat(10_000)),
        format!("#if({}$t", "!".repeat(10_000)),
        format!("#set($x = {}", "[".repeat(10_000)),
        format!("#set($x = {}", "{\"a\":".repeat(10_000)),
        "$a.b(".repeat(10_000),
        "$a[".repeat(10_000),
        format!("#set($x = {}", "[$a.b(".repeat(10_000)),
        format!("#m({}", "[$a.b(".repeat(10_000)),
        "#define($x)".repeat(10_000),
    ];
    for template in deep {
        assert!(
            matches!(syntax_problem(&template), SyntaxProblem::TooDeep(_)),
            "{}",
            &template[..30]
        );
    }
}

#[test]
fn the_deepest_syntax_that_is_allowed_renders() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| {
        open.repeat(count) + inner + &close.repeat(count)
    };
    let templates = [
        nested("#if(true)", "x", "#end", 99),
        format!("#set($x = {})$x", nested("(", "1", ")", 97)),
        format!("#set($x = {})", nested("[", "1", "]", 48)),
        nested("$l.contains(", "1", ")", 45),
        nested("#foreach($x in [1])", "x", "#end", 97),
    ];
    for template in templates {
        let parsed = VtlTemplate::parse(&template)
            .unwrap_or_else(|error| panic!("{error}: {}", &template[..30]));
        let mut variables = TemplateVariables::new();
        variables.set("l", json!([1]));
        let output = parsed.render(&variables, &RenderLimits::default());
        assert!(output.is_ok(), "{output:?}: {}", &template[..30]);
    }
}

#[test]
fn long_chains_are_not_deep() {
    let template = format!(
        "#set($x = 0{})$x#if($x == 1{})#end",
        " + 1".repeat(20_000),
        " && true".repeat(5_000)
    );
    let parsed = VtlTemplate::parse(&template).expect("it is correct");
    let output = parsed.render(&TemplateVariables::new(), &RenderLimits::default());
    assert_eq!(output.as_deref(), Ok("20000"));
}

#[test]
fn large_templates_are_refused() {
    let template = "x".repeat(MAX_TEMPLATE_BYTES + 1);
    assert!(matches!(
        syntax_problem(&template),
        SyntaxProblem::TooLarge { .. }
    ));
    assert!(VtlTemplate::parse(&template[1..]).is_ok());
}

#[test]
fn hostile_text_is_read() {
    let size = MAX_TEMPLATE_BYTES / 5;
    let texts = [
        "\\",
        "$",
        "#",
        "#*",
        "##",
        "#[[",
        "$!",
        "$a.",
        "$a.b",
        "#set($a='",
        "\"",
        " ",
        "#end",
        "[1..",
        "$x(",
        "\r\n",
    ];
    for text in texts {
        // Either result is right; the lexer must read each character a few times at most.
        let _ = VtlTemplate::parse(&text.repeat(size / text.len()));
    }
}

#[test]
fn templates_can_be_shared_by_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<VtlTemplate>();
    is_shared::<TemplateVariables>();
}
