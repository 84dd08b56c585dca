import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg, makeExecutable } from '../../source-server/node/media/ffmpeg.ts';
import { makeFolder } from './media-tools.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeAll(async () => {
  folder = await makeFolder();
});

afterAll(() => folder.drop());

async function makeProgram(name: string, version: string): Promise<string> {
  const file = folder.file(name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "ffmpeg version ${version} Copyright"\n`);
  await chmod(file, 0o755);
  return file;
}

describe('finding ffmpeg', () => {
  it('takes the one that is named, before the one on PATH, before the one of the npm package', async () => {
    const named = await makeProgram('named/mine', '9.1');
    const onPath = await makeProgram('bin/ffmpeg', '5.1.9-debian');
    const search = [folder.file('nothing-here'), path.dirname(onPath)].join(path.delimiter);
    expect(await findFfmpeg({ INSWARM_FFMPEG: named, PATH: search })).toEqual({
      path: named,
      version: '9.1',
      origin: 'INSWARM_FFMPEG',
    });
    expect(await findFfmpeg({ PATH: search })).toEqual({ path: onPath, version: '5.1.9-debian', origin: 'PATH' });
    expect(await findFfmpeg({ PATH: folder.file('nothing-here') })).toMatchObject({ origin: 'npm package' });
  });

  it('says what to do when the named one is not there or is no ffmpeg', async () => {
    const other = await makeProgram('other', '').then(async (file) => {
      await writeFile(file, '#!/bin/sh\necho hello\n');
      return file;
    });
    await expect(findFfmpeg({ INSWARM_FFMPEG: folder.file('gone') })).rejects.toThrow(
      /gone.* does not run.*INSWARM_FFMPEG/,
    );
    await expect(findFfmpeg({ INSWARM_FFMPEG: other })).rejects.toThrow(/does not answer like ffmpeg/);
  });

  it('makes the program of the npm package executable, as no install script did', async () => {
    const file = await makeProgram('packaged', '4');
    await chmod(file, 0o644);
    expect(makeExecutable(file)).toBe(file);
    expect(await findFfmpeg({ INSWARM_FFMPEG: file })).toMatchObject({ version: '4' });
  });
});
