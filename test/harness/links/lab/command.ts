import { spawn } from 'node:child_process';

/** Commands that set up a network are done in milliseconds; one that takes so long has no end. */
const COMMAND_MS = 20_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Runs a command to its end.
 *
 * @param input - What it reads.
 * @returns What it wrote.
 * @throws Error with what it complained of, where it fails, takes too long or writes too much.
 */
export function run(command: readonly string[], input = ''): Promise<string> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let complaint = '';
    let why: string | undefined;
    const kill = (because: string): void => {
      why ??= because;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill(`took more than ${COMMAND_MS / 1000} s`), COMMAND_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > OUTPUT_BYTES_MAX) kill('wrote too much');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 4_096) complaint += text;
    });
    // It may end without reading all.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${program} cannot be run: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`${command.join(' ')}: ${why ?? `ended with ${signal ?? code}`}\n${complaint.trim()}`));
    });
  });
}
