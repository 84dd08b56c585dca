import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, undoAtEnd } from '../process.ts';

/** nginx with one worker that serves files as fast as it can: sendfile, keep-alive, open files kept, no log. */
export interface Nginx {
  readonly port: number;
  /** Of the worker. */
  readonly pid: number;
  stop(): Promise<void>;
}

export const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find(
  (path) => spawnSync(path, ['-v']).status === 0,
);

/** @param files - Served under their names. */
export async function startNginx(files: ReadonlyMap<string, Uint8Array>): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'inswarm-bench-nginx-'));
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user} worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 8192; multi_accept on; }
    http {
      access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
      keepalive_timeout 600s; keepalive_requests 1000000000; send_timeout 600s;
      open_file_cache max=10000; open_file_cache_valid 600s;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 127.0.0.1:${port}; root ${folder}; etag off; }
    }`,
  );
  const child = spawn(NGINX!, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    forget();
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const forget = undoAtEnd(stop);
  for (let tries = 0; tries < 100; tries++) {
    await sleep(50);
    if (child.exitCode !== null) throw new Error(`nginx: ${readFileSync(join(folder, 'error.log'), 'utf8')}`);
    const [worker] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    if (worker) return { port, pid: Number(worker), stop };
  }
  await stop();
  throw new Error('nginx did not start a worker');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
