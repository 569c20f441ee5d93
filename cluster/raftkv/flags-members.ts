/** The flags that say who is in a cluster: those of a member's start and of `restore`. */
import { type Command, CommanderError } from 'commander';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { InitialMember } from './server/config.ts';
import { addressOfUrl, type UrlAddress } from './urls.ts';

/** As commander hands them over. */
export interface MemberValues {
  readonly name: string;
  readonly dataDir?: string;
  readonly initialAdvertisePeerUrls: string;
  readonly initialCluster?: string;
  readonly initialClusterToken: string;
}

export function memberFlags(command: Command): Command {
  return command
    .option('--name <name>', "this member's name", 'default')
    .option('--data-dir <dir>', 'default: <name>.raftkv')
    .option(
      '--initial-advertise-peer-urls <urls>',
      'where the others find this member',
      'http://localhost:2380',
    )
    .option('--initial-cluster <name=url,...>', 'all members, this one too; default: it alone')
    .option('--initial-cluster-token <token>', 'goes into all ids', 'etcd-cluster');
}

/** Text to be printed, because it was asked for. */
export type Help = { readonly type: 'help'; readonly text: string };

/** What was asked for instead of a run; undefined: `command` has parsed it. Throws `bad-option`. */
export function parseWith(command: Command, args: readonly string[]): Help | undefined {
  let text = '';
  command.exitOverride().configureOutput({
    writeOut: (part) => {
      text += part;
    },
    writeErr: () => undefined,
  });
  try {
    command.parse([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { type: 'help', text };
    throw bad(`${messageOf(error).replace(/^error: /, '')}; see --help`);
  }
}

export function dataDirOf({ name, dataDir }: MemberValues): string {
  return dataDir ?? `${name}.raftkv`;
}

/** All members, this one among them. Throws `bad-option`. */
export function initialMembers(values: MemberValues): readonly InitialMember[] {
  const own = urlList('--initial-advertise-peer-urls', values.initialAdvertisePeerUrls);
  const members = parseInitialCluster(
    values.initialCluster ?? own.map((url) => `${values.name}=${url}`).join(','),
  );
  checkOwn(values, own, members);
  return members;
}

/** The others know this member by what its list says: the two flags must say the same. */
function checkOwn(
  { name }: MemberValues,
  own: readonly string[],
  initialCluster: readonly InitialMember[],
): void {
  const listed = initialCluster.find((member) => member.name === name);
  if (listed === undefined)
    throw bad(`--initial-cluster does not have this member: --name is '${name}'`);
  if (listed.peerUrls.toSorted().join() !== own.toSorted().join())
    throw bad(
      `--initial-cluster says ${listed.peerUrls.join(',')} for '${name}', ` +
        `--initial-advertise-peer-urls says ${own.join(',')}`,
    );
}

function parseInitialCluster(text: string): readonly InitialMember[] {
  const members = new Map<string, string[]>();
  for (const item of text.split(',')) {
    const at = item.indexOf('=');
    const url = item.slice(at + 1);
    if (at <= 0 || addressOfUrl(url) === undefined)
      throw bad(`--initial-cluster: '${item}' is not name=http://host:port (or https)`);
    const name = item.slice(0, at);
    members.set(name, [...(members.get(name) ?? []), url]);
  }
  return [...members].map(([name, peerUrls]) => ({ name, peerUrls }));
}

/** Throws `bad-option`. */
export function urlList(flag: string, text: string): readonly string[] {
  const urls = text.split(',');
  for (const url of urls) addressOr(flag, url);
  return urls;
}

/** Throws `bad-option`. */
export function addressOr(flag: string, url: string): UrlAddress {
  const address = addressOfUrl(url);
  if (address === undefined) throw bad(`${flag}: '${url}' is not http://host:port (or https)`);
  return address;
}

export function bad(message: string): HarnessError {
  return new HarnessError('bad-option', message);
}
