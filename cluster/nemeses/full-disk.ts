import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import { diskNemesis } from './disk-fault.ts';
import { DOWN_TARGETS } from './node-fault.ts';
import { type Place, refuse } from './options.ts';

/** The probe writes more than this, and so finds every disk full that is. */
const ROOM_BYTES_MAX = 524_288;
/** What random schedules leave at most: some hundred operations. */
const ROOM_BYTES_DRAWN_MAX = 65_536;

/** So many bytes fit yet, then the disk is full: an append ends where the room does. */
export function fullDisk(): Nemesis {
  return diskNemesis<number>({
    lane: 'full-disk',
    keys: ['room'],
    read: roomOf,
    draw: (random) => ({
      target: random.pick(DOWN_TARGETS),
      room: random.chance(0.5) ? 0 : random.int(1, ROOM_BYTES_DRAWN_MAX),
    }),
    verb: (room) => (room === 0 ? 'disk full on' : `disk full but for ${room} bytes on`),
    refuses: true,
    needs: 'fill',
    install: (disks, node, room) => disks.fill(node, room),
    shows: ({ error }) => error === 'ENOSPC',
  });
}

function roomOf({ options, where }: Place): number {
  const room = options['room'] ?? 0;
  if (typeof room === 'number' && Number.isInteger(room) && room >= 0 && room <= ROOM_BYTES_MAX)
    return room;
  const text = JSON.stringify(room);
  return refuse(where, `room: ${text} is not a number of bytes from 0 to ${ROOM_BYTES_MAX}`);
}
