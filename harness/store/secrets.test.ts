import { describe, expect, test } from 'vitest';
import type { RunManifest } from '../protocols/run.ts';
import {
  manifestWithoutSecrets,
  NOT_STORED,
  recordWithoutSecrets,
  storableEnv,
  valueWithoutSecrets,
  withoutSecret,
  wordsWithoutSecrets,
} from './secrets.ts';

/** Distinct, so that one that got through is seen. */
const JEWEL = 'hunter2-jewel';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x';
const PAT = `ghp_${'a1B2'.repeat(9)}`;

const HOSTILE: readonly (readonly string[])[] = [
  [`--password=${JEWEL}`],
  ['--password', JEWEL],
  ['-O', `auth-token=${JEWEL}`],
  [`-Opassword=${JEWEL}`],
  [`--system-option=DB_PASSWORD=${JEWEL}`],
  ['--api-key', JEWEL],
  [`--header=Authorization: Bearer ${JEWEL}`],
  ['--header', `Authorization: Bearer ${JEWEL}`],
  [`{"clientSecret": "${JEWEL}"}`],
  [`{"x": 1, "access_key": "${JEWEL}", "y": 2}`],
  [`https://admin:${JEWEL}@db.example:2379/path`],
  [`http://127.0.0.1/?a=1&token=${JEWEL}&b=2`],
  [`password=${JEWEL} and ${JEWEL}`],
  [`passwd:\n${JEWEL}`],
  ['--label', `my-secret-${JEWEL}`],
  [JWT],
  ['--x', PAT],
  [`-----BEGIN RSA PRIVATE KEY-----\n${JEWEL}`],
  ['AKIAABCDEFGHIJKLMNOP'],
];

test.each(HOSTILE)('of the words %j no secret is stored', (...words) => {
  const kept = wordsWithoutSecrets(words).join(' ');
  expect(kept).toContain(NOT_STORED);
  for (const secret of [JEWEL, JWT, PAT, 'AKIAABC']) expect(kept).not.toContain(secret);
});

test('what is no secret stays as it is, and so does the name of what is not stored', () => {
  const words = ['run', '--system', 'etcd', '--fault', 'pause,kill', '-O', 'heartbeat=50ms'];
  expect(wordsWithoutSecrets(words)).toEqual(words);
  expect(wordsWithoutSecrets(['--token', 'a', '--seed', '0x1'])).toEqual([
    '--token',
    NOT_STORED,
    '--seed',
    '0x1',
  ]);
  expect(withoutSecret('db-password=x')).toBe(`db-password=${NOT_STORED}`);
  expect(withoutSecret('https://me@host/p')).toBe(`https://${NOT_STORED}@host/p`);
});

test('data is cleared at any depth: by name, by value, in lists of words', () => {
  const value = {
    flags: ['--auth-token', JEWEL, '--x=1'],
    deep: [{ Password: JEWEL, port: 1, on: true, note: `token ${JEWEL}` }],
    secrets: [1, 2],
  };
  expect(valueWithoutSecrets(value)).toEqual({
    flags: ['--auth-token', NOT_STORED, '--x=1'],
    deep: [{ Password: NOT_STORED, port: 1, on: true, note: NOT_STORED }],
    secrets: NOT_STORED,
  });
  expect(recordWithoutSecrets({ token: null as string | null })).toEqual({ token: null });
});

describe('of the environment', () => {
  test('only what is on the list is kept, cut and cleared', () => {
    const env = {
      CI: 'true',
      HOME: '/root',
      AWS_SECRET_ACCESS_KEY: JEWEL,
      GITHUB_TOKEN: JEWEL,
      NODE_OPTIONS: `--import=data:x,password=${JEWEL}`,
      LANG: 'x'.repeat(9000),
      TZ: '',
      TERM: undefined,
    };
    const kept = storableEnv(env);
    expect(Object.keys(kept)).toEqual(['CI', 'LANG', 'NODE_OPTIONS']);
    expect(kept['LANG']).toHaveLength(500);
    expect(JSON.stringify(kept)).not.toContain(JEWEL);
  });
});

test('a manifest is cleared wherever words of the user stand, and else untouched', () => {
  const manifest = {
    schism: 1,
    run: '7f3a',
    argv: ['run', '-O', `token=${JEWEL}`],
    env: { NODE_OPTIONS: `--secret=${JEWEL}` },
    cluster: { flags: `--initial-cluster-token=${JEWEL}`, version: '3' },
    config: {
      system: 'token-ring',
      systemOptions: { password: JEWEL, election: '1s' },
      workloadOptions: { clients: 3, own: { secret: JEWEL, keys: '4' } },
      schedule: [{ atMs: 1, forMs: 2, fault: 'kill', options: { apiKey: JEWEL, target: 'n1' } }],
    },
  } as unknown as RunManifest;
  const kept = manifestWithoutSecrets(manifest);
  expect(JSON.stringify(kept)).not.toContain(JEWEL);
  expect(kept.config).toMatchObject({
    system: 'token-ring',
    systemOptions: { election: '1s' },
    workloadOptions: { clients: 3, own: { keys: '4' } },
    schedule: [{ atMs: 1, forMs: 2, fault: 'kill', options: { target: 'n1' } }],
  });
  expect(kept.cluster?.['version']).toBe('3');
});
