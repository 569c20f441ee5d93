import { messageOf } from '../../harness/core/errors.ts';
import { linesOf } from '../log-pattern.ts';
import { type Property, Tally } from './property.ts';

/** In the words of raftkv, and of etcd 3.4 in both of its forms of log. */
const INSTALLED = /"msg":"installing a snapshot"|\bapplied incoming (?:Raft )?snapshot\b/;

/** A member was so far behind that its leader sent it a snapshot, and it took it. */
export const snapshotInstalled: Property = {
  name: 'snapshot-installed',
  advice:
    'let the leader forget its log sooner (-O snapshot-count=100, where the store has it), and keep ' +
    'a follower away for longer (--fault-duration) under more writes (--rate)',
  find: async (_, { logs }) => {
    if (logs.length === 0)
      return { nothing: 'the nodes of this run left no logs, which alone would tell' };
    const tally = new Tally();
    const unread: string[] = [];
    for (const { node, path } of logs) {
      let line = 0;
      try {
        for await (const text of linesOf(path)) {
          line++;
          if (INSTALLED.test(text)) tally.add(() => `${node} took one, by line ${line} of its log`);
        }
      } catch (error) {
        unread.push(`the log of ${node} cannot be read (${messageOf(error)})`);
      }
    }
    const reached = tally.reached();
    return reached.count === 0 && unread.length > 0 ? { nothing: unread.join(', ') } : reached;
  },
};
