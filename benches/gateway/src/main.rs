//! Load generator for `benches/gateway/run` and `benches/soak/run`. Every subcommand prints lines of JSON.

mod limit;
mod measure;
mod runtime;
mod soak;
mod socket;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use socket::Url;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-gateway {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> Result<()> {
    let measured = match words {
        ["limit"] => return limit::serve().await,
        ["soak", url, rest @ ..] => return soak::run(Url::parse(url)?, rest).await,
        ["sequence", url, warm_up, count] => {
            measure::sequence(&Url::parse(url)?, warm_up.parse()?, count.parse()?).await?
        }
        ["connects", url, warm_up, count] => {
            measure::connects(&Url::parse(url)?, warm_up.parse()?, count.parse()?).await?
        }
        ["pipelined", url, connections, depth, warm_up, time] => {
            let (connections, depth) = (connections.parse()?, depth.parse()?);
            measure::pipelined(
                &Url::parse(url)?,
                connections,
                depth,
                seconds(warm_up)?,
                seconds(time)?,
            )
            .await?
        }
        ["runtime", program, processes, warm_up, time] => {
            let processes = processes.parse()?;
            runtime::invocations(program, processes, seconds(warm_up)?, seconds(time)?).await?
        }
        ["idle", url, count] => measure::idle(&Url::parse(url)?, count.parse()?).await?,
        _ => return Err("no such subcommand; benches/gateway/run knows them all".into()),
    };
    println!("{measured}");
    Ok(())
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::from_secs_f64(text.parse()?))
}
