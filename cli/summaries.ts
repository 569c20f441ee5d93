/** A line for people on each fault, check and kind of anomaly: for `docs/reference/` and lists. */

export interface FaultHelp {
  readonly what: string;
  /** What must be seen from outside before the fault counts. */
  readonly proof: string;
  /** The kinds of cluster that can have it. */
  readonly where: string;
}

const LINKS = 'clusters with links';
const CONTAINERS = 'containers';
const SIMULATOR = 'the simulator';
const READ_BACK = 'it is read back from the link server: no probe of bytes can show it';

export const FAULT_HELP: Readonly<Record<string, FaultHelp>> = {
  partition: {
    what: 'cuts links between nodes, silently, in one direction or both',
    proof: 'every link it names measures cut, and open again at the end',
    where: `${LINKS}, the in-process store`,
  },
  kill: {
    what: 'kill -9; at the end the node is started on its old data',
    proof: 'the machine no longer knows the process; at the end there is another one that answers',
    where: 'everywhere',
  },
  pause: {
    what: 'freezes a node: it keeps its memory, connections and beliefs, and loses time',
    proof: 'the machine says that the process is stopped',
    where: 'everywhere',
  },
  power: {
    what: 'nodes end at one moment; of what was not synced some is lost and some is torn',
    proof: 'the machine is off; at the end the node answers on what is left',
    where: SIMULATOR,
  },
  membership: {
    what: 'removes members, or replaces them by nodes with empty disks, and brings all back',
    proof: 'the list of members of one that answers says so',
    where: 'raftkv and etcd',
  },
  compact: {
    what: 'makes the store forget its past; there is nothing to undo',
    proof: 'the node that was asked refuses a read of what lies before',
    where: 'raftkv and etcd',
  },
  link: {
    what: 'any of the six faults on links below, another one each time, in one lane',
    proof: 'that of the fault it is',
    where: LINKS,
  },
  latency: {
    what: 'messages come late, with jitter, in order; it may grow over a time',
    proof: 'probes on the link take that much longer',
    where: LINKS,
  },
  bandwidth: { what: 'bytes trickle', proof: READ_BACK, where: `${LINKS}, but not the simulator` },
  hold: {
    what: 'everything is kept, and released in order on the living connection',
    proof: 'no probe gets through, and again at the end',
    where: `${LINKS}, but no Toxiproxy other than ours`,
  },
  blackhole: {
    what: 'everything is swallowed, and the connection stays',
    proof: 'no probe gets through',
    where: LINKS,
  },
  reset: {
    what: 'each connection is reset some time after its first bytes',
    proof: READ_BACK,
    where: LINKS,
  },
  'slow-close': {
    what: 'who closes a connection is heard late',
    proof: READ_BACK,
    where: `${LINKS}, but not the simulator`,
  },
  'slow-disk': {
    what: 'every sync takes longer, as on a disk that others use too',
    proof: 'a sync of the probe takes that long',
    where: SIMULATOR,
  },
  'failing-sync': {
    what: 'every sync fails with EIO, and a later one does not write what it was to write',
    proof: 'a sync of the probe fails',
    where: SIMULATOR,
  },
  'full-disk': {
    what: 'so many bytes fit yet, then the disk is full',
    proof: 'the probe, which writes more than fits, gets ENOSPC',
    where: `${SIMULATOR}, ${CONTAINERS} with a disk of their own`,
  },
  'clock-skew': {
    what: "a node's clock jumps, or goes too fast or too slowly; at the end it is set right",
    proof: 'the clock is read twice',
    where: SIMULATOR,
  },
  'cpu-squeeze': {
    what: 'a small part of one processor: the node lives, and is late for everything',
    proof: 'the engine counts how often it had to wait',
    where: CONTAINERS,
  },
  'memory-squeeze': {
    what: 'no memory beyond what the node uses, until the kernel ends it',
    proof: 'the kernel ended it for want of memory',
    where: CONTAINERS,
  },
  unplug: {
    what: "the node's whole network is gone, for peers and clients, without a word to anybody",
    proof: 'the engine says so, and a request of a client does not get there',
    where: CONTAINERS,
  },
  'drop-packets': {
    what: 'the kernel drops what members send each other, below their connections',
    proof: 'the kernel counts what it dropped',
    where: CONTAINERS,
  },
};

/** By option, or `fault.option` where one fault means something else by the word. */
export const FAULT_OPTION_HELP: Readonly<Record<string, string>> = {
  target:
    'whom it hits: `one`, `minority`, `minority-third`, `majority`, `all`, `leader`, `old-leader`, ' +
    '`leaders`, `follower`, `followers`, `learner`, a name, or a list of names',
  quorum:
    '`keep` (the default): all lanes together hit fewer than a majority; `ignore`: as asked. ' +
    '`majority`, `all` and names ask for it by themselves',
  shape: 'which links are cut; see below',
  'link.shape': 'which of the six it is; it must be said',
  direction: '`in`: the target hears nothing; `out`: nobody hears it; `both`',
  from: '`leader`, `old-leader`, `follower`, a name, or a list of names; without it any node',
  to: 'the same for the other end',
  'partition.from': 'for `single-link`: its one end',
  'partition.to': 'for `single-link`: its other end',
  grudge: 'for `custom`: `{"n1": ["n2"]}`, n1 must not hear from n2',
  on: '`all` links, those of a `node` (with `target`, `direction`), or a `link` (with `from`, `to`)',
  latency: 'how much later, such as `"200ms"` or `"2hb"`',
  jitter: 'by how much that varies',
  ramp: 'the time over which it grows to that; at most 20 s',
  rateKBps: 'thousands of bytes a second',
  after: 'from the first bytes of a connection to its reset',
  delay: 'how much longer a sync takes',
  'slow-close.delay': 'how late it is heard',
  do: '`remove` (the default), or `replace`: others take the places at once, with empty disks',
  as: '`voter` (the default), or `learner`, which is promoted once it has caught up',
  promote: '`false`: who takes a place stays a learner until the fault ends',
  via: 'who is asked: `leader`, `old-leader`, `target`, a name, or a list with one for each target',
  'compact.via': 'who is asked, as for `target`',
  every: 'time between two targets, without waiting for an answer',
  keep: 'revisions before the newest that stay (default 0)',
  room: 'bytes that fit yet',
  offset: 'how far the clock jumps: `"2s"`, `"-2s"`',
  rate: '`1.5`: half again too fast',
  cpus: '`0.05`: a twentieth of a processor',
};

export const PARTITION_SHAPE_HELP: Readonly<Record<string, string>> = {
  halves: 'the first half of the nodes against the second',
  'random-halves': 'a random half against the others (the default)',
  'isolate-one': 'one node alone; `target` says which',
  'isolate-leader': 'the node alone that leads by the newest term',
  'isolate-leaders': 'each node alone that believes it leads',
  'majority-minority': 'a random minority against the others',
  bridge: 'two halves, and one node that hears both',
  'majorities-ring': 'each node hears a majority, and no two the same',
  'one-way': 'a node that hears nobody, or that nobody hears',
  'single-link': 'between two nodes',
  custom: 'as `grudge` says',
};

export interface CheckHelp {
  /** What it asks of a history. */
  readonly asks: string;
  /** Kinds of anomaly that it names, each with what it claims. */
  readonly anomalies: Readonly<Record<string, string>>;
  /** When it says `unknown`. */
  readonly unknown: string;
}

const GAVE_UP = 'it came to the end of its time or memory';

export const CHECK_HELP: Readonly<Record<string, CheckHelp>> = {
  linearizable: {
    asks:
      'is there one order of all operations of each key that the model allows, and in which what ' +
      'ended before another began comes before it? Serializable reads are left out',
    unknown: GAVE_UP,
    anomalies: {
      'stale-read': 'a value was read that had been replaced before the read began',
      'lost-write': 'a write was acknowledged and is gone: at the end an older value is back',
      'phantom-read': 'a value was read that nobody wrote',
      'read-of-failed-write': 'a value was read whose write was refused',
      'future-read': 'a value was read before anybody sent it',
      'non-monotonic-read': 'a newer value was seen, and later an older one',
      'split-brain-cas':
        'two compare-and-sets from one value, which was there once, both succeeded',
      'split-brain-read': 'two values were there at the same time',
      'refused-matching-cas':
        'a compare-and-set was refused although it had found what it expected',
      'not-linearizable': 'every order of these operations was tried, and none works',
    },
  },
  sequential: {
    asks: "is there one order of all operations that keeps each client's own order?",
    unknown: GAVE_UP,
    anomalies: { 'not-sequential': 'every such order of these operations was tried; none works' },
  },
  'prefix-consistent': {
    asks:
      'did changes happen as in real time, and did each read show some earlier state of the whole ' +
      'store, to one client at one node never an earlier one than before?',
    unknown: GAVE_UP,
    anomalies: {
      'not-prefix-consistent': 'every such order of these operations was tried; none works',
      'wrong-at-revision':
        'a read shows something else than the store held at the revision it names',
    },
  },
  'read-modes': {
    asks:
      'did the reads of each mode keep what the system promises of them, and how stale were they? ' +
      'Of a mode that promises linearizable reads it also names every kind that `linearizable` does',
    unknown: `no read of a mode was answered, or ${GAVE_UP}`,
    anomalies: {
      'stale-read': 'a value was read that had been replaced before the read began',
      'backwards-read':
        'one client saw a newer state at a node, and then an older one at the same node',
      'two-values-at-one-revision': 'one revision of one key was read with two values',
      'two-keys-at-one-revision': 'one revision changed two keys, in different transactions',
    },
  },
  hash: {
    asks: 'do all replicas have the same state at the same revision, at the end?',
    unknown: 'several nodes said a hash, but no two of the same revision',
    anomalies: {
      'replicas-diverge': 'two nodes have different hashes of one revision',
      'past-changed': 'one node gave two hashes of one revision',
    },
  },
  backup: {
    asks:
      'is what was restored from each backup the state at its revision: all that was answered up to ' +
      'there, nothing else, and nothing older than what was answered before it was asked for?',
    unknown:
      'none was restored, or a complete one could not be; one that failed under a fault is no matter',
    anomalies: {
      'backup-lost-write': 'an answer showed a newer value up to that revision',
      'backup-stale': 'the backup is older than what was answered before it was asked for',
      'backup-phantom': 'it holds a value that nobody had written by then',
      'backup-wrong-value': 'it holds another value than an answer showed at that very revision',
      'backup-wrong-revision': 'it holds a value at another revision than was acknowledged',
      'backup-differs': 'its hash is another than that of the node that it was taken from',
      'restored-same-id': 'the restored cluster, or its member, has the id of the old one',
    },
  },
  stats: {
    asks: 'did each kind of operation succeed at least once?',
    unknown: 'one never did, or none was tried: nothing is known of it then',
    anomalies: {},
  },
  availability: {
    asks: 'what share was served, outside of faults and in each window of faults?',
    unknown: 'nothing was asked',
    anomalies: {},
  },
  evidence: {
    asks: 'did each kind of fault that was asked for take effect, and was each undone?',
    unknown: 'one did not; with `--require-faults` the run then ends as an error',
    anomalies: {},
  },
  invariants: {
    asks: "did Raft's five properties hold inside the nodes after every step? Only in the simulator",
    unknown: 'never; where nobody could look it says so',
    anomalies: {
      'election-safety': 'two leaders in one term',
      'leader-append-only': 'a leader changed or deleted an entry of its log',
      'log-matching': 'two logs agree in the term of an entry, and differ up to it',
      'leader-completeness': 'a leader of a later term lacks a committed entry',
      'state-machine-safety': 'two nodes applied different entries at one index',
    },
  },
  'log-pattern': {
    asks: 'did a node write that it panicked or met a fatal error?',
    unknown: 'never; a log that cannot be read is named',
    anomalies: { 'crash-in-log': 'this line says so' },
  },
  thresholds: {
    asks: 'does what was measured keep the limits of the configuration?',
    unknown: 'there was nothing to measure',
    anomalies: { threshold: 'a figure lies beyond its limit' },
  },
  sometimes: {
    asks: 'which situations did the run reach that it is good to have tested? Some may be asked for',
    unknown: 'one that was asked for with `--sometimes` was never reached',
    anomalies: {},
  },
};

/** What a run may be asked to reach at some time. */
export const SOMETIMES_HELP: Readonly<Record<string, string>> = {
  'leader-changed-under-load':
    'a node led in a higher term than any before, and clients were served shortly before and after',
  'indefinite-write-committed':
    'nobody knew what came of a write, and later its value was read, which no one else had written',
  'read-overlapped-election':
    'a linearizable read that was answered was under way when most nodes answered, and none leads',
  'fault-during-election': 'a fault took effect when most nodes answered, and none leads',
  'two-leaders-believed': 'a node went on to lead after another was seen to lead in a higher term',
  'minority-had-writes-in-flight':
    'a write was under way at a node that a partition kept from a majority',
  'restarted-node-answered': 'a node answered a read after it had been killed',
  'snapshot-installed':
    "a member took a snapshot of its leader, by the words of its log (raftkv's and etcd 3.4's); " +
    'nodes of the simulator write none',
  'lease-expired': 'cannot be asked for yet: no workload has leases',
};

/** What a threshold may be asked of. */
export const METRIC_HELP: Readonly<Record<string, string>> = {
  availability: 'ok ÷ (ok + failed + unknown) of the operations invoked in the main phase',
  ops_failed: 'operations that failed; a refused compare-and-set counts as served',
  ops_unknown: 'operations of unknown outcome',
  throughput: 'operations that succeeded, per second',
  latency_ms: 'how long operations took that succeeded',
  longest_gap_ms: 'the longest time between two successes',
  recovery_ms: 'from the end of a fault to the first success on each node it hit',
  staleness_ms: 'how long the value of a read had been replaced when the read began',
  faults_effective: 'faults that took effect',
};
