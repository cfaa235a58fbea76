//! Measurements for `benches/handlers/run`. Every subcommand prints lines of JSON, from which `run` makes tables.

mod authorizer;
mod aws;
mod endpoint;
mod stack;
mod starts;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-handlers {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["starts", binaries, python, runs, events] => starts::measure(
            binaries.as_ref(),
            python.as_ref(),
            runs.parse()?,
            events.parse()?,
        ),
        ["verify", rounds, milliseconds] => {
            authorizer::verify(rounds.parse()?, time(milliseconds)?)
        }
        ["events", binaries, rounds, milliseconds] => {
            authorizer::events(binaries.as_ref(), rounds.parse()?, time(milliseconds)?)
        }
        ["endpoint", milliseconds] => endpoint::serve(time(milliseconds)?),
        ["ceiling", endpoint, connections, milliseconds] => {
            endpoint::ceiling(endpoint, connections.parse()?, time(milliseconds)?)
        }
        _ => Err("no such subcommand; benches/handlers/run knows them all".into()),
    }
}

fn time(milliseconds: &str) -> Result<Duration> {
    Ok(Duration::from_millis(milliseconds.parse()?))
}
