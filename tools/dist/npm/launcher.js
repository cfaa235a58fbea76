#!/usr/bin/env node
// Starts the binary of this platform's package, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const platform = `${process.platform}-${process.arch}`;

function binary() {
  try {
    return require.resolve(`@stackgen/${platform}/stackgen`);
  } catch {
    const advice =
      process.platform === "win32"
        ? "use WSL: stackgen has no package for Windows"
        : "install it without --omit=optional, or build it from source with cargo";
    console.error(`error: there is no package @stackgen/${platform}\n  = help: ${advice}`);
    process.exit(1);
  }
}

const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
// A terminal sends Ctrl-C to both processes, and a second one would end the binary before it has cleaned up. All other signals
// reach this process alone.
const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
process.on("SIGINT", () => hasTerminal || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`error: cannot start stackgen: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
