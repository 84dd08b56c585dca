import type { TrackerLimits } from './io.ts';

/** Bounds of what the tracker keeps, and its intervals; each with its reason. What the wire bounds is in protocol/limits.ts. */

export const TRACKER_LIMITS: TrackerLimits = {
  /** A member costs about 5 KB here and 13 KB in its socket: 20,000 fit into half a gigabyte. */
  linksMax: 20_000,
  swarmsMax: 1_024,
  /** Swarms that viewers wait in and no source has published: anybody can make those up. */
  unknownSwarmsMax: 256,
  membersPerSwarmMax: 20_000,
};

/** Ms in which a new connection has to join. */
export const JOIN_WITHIN_MS = 5_000;
/** Heartbeat of members that can be dialled, and of browsers: the hub is all that these have. */
export const HEARTBEAT_MS = 2_000;
export const HEARTBEAT_BROWSER_MS = 1_000;
/** A member is gone after so many heartbeats that did not come, and half a second for the way. */
export const HEARTBEATS_MISSED = 3;
export const HEARTBEAT_GRACE_MS = 500;
/** Ms for which a swarm without members is remembered: its source may be restarting. */
export const SWARM_KEPT_MS = 60_000;
/** Ms in which nobody is ended for silence after the tracker itself was late by a look: time to read what has come meanwhile. */
export const SPARED_MS = 1_000;

/** The hub looks so often; each member is served at one of the looks of a second, so that the work is spread. */
export const TICK_MS = 250;
export const TICKS_PER_SECOND = 4;

/** States taken in per second from browsers and from others; what is beyond is ignored. */
export const STATES_PER_SECOND_BROWSER = 1;
export const STATES_PER_SECOND = 4;
/** Messages of any kind per second from a viewer and from a source; who sends more is closed. */
export const MESSAGES_PER_SECOND = 10;
export const MESSAGES_PER_SECOND_SOURCE = 100;
/** Messages of one link that wait while a signature of it is checked. */
export const MESSAGES_WAITING_MAX = 16;
/** Requests for more neighbours per second; what is beyond is ignored. */
export const MORE_PER_SECOND = 0.5;

/** Neighbours in the answer to a join; native members, which have nothing else to live on, get some more to choose from. */
export const NEIGHBOURS_DEFAULT = 16;
export const NEIGHBOURS_NATIVE = 20;
/**
 * Members that are told of one that can be dialled. A peer takes 24 connections, and not all who could dial it do. Where
 * there are many browsers for each that they can dial, everybody is told of fewer, so that the last one finds room too.
 */
export const LEANING_MAX = 32;
export const LEANING_MEAN = 24;
/** The fewest that feed a member over connections, in an answer, as long as there are so many. */
export const FEEDERS_GIVEN_MIN = 4;
/** Neighbours that a member is kept informed about. */
export const NEIGHBOURS_KNOWN_MAX = 64;
/** States in one digest: 12 of about 80 bytes are 8 kbit/s; those left out come first in the next. */
export const DIGEST_STATES_MAX = 12;
/** Members that are given the source's URL, as long as others can feed them … */
export const SOURCE_DIALLED_MAX = 20;
/** … and when fewer than so many others can. */
export const FEEDERS_MIN = 4;
export const SOURCE_DIALLED_SCARCE_MAX = 64;
/** A place at the source goes to one who carries at least so many times as much, … */
export const HANDOVER_TIMES = 2;
/** … from one who had it for a while, a few times a second: in five seconds all places are with those who can use them. */
export const PLACE_KEPT_MS = 2_000;
export const HANDOVER_EVERY_MS = 250;
/** Members that are looked at for a place that has become free. */
export const PLACE_LOOKS = 16;
/** What one member can carry at most, as it says, in bits per second: more is no use with a few dozen neighbours. */
export const UPLOAD_BPS_MAX = 100_000_000;

/** INS servers in an answer. */
export const INS_SERVERS_GIVEN = 3;
/** Sealed records kept of a stream, and their bytes: two segments of 16 tracks fit. */
export const RECORDS_KEPT_MAX = 256;
export const RECORDS_KEPT_BYTES_MAX = 262_144;
/** Bytes of an answer that are filled before the rest goes into a message of its own (a message holds 65,536). */
export const MESSAGE_FILL_BYTES = 56_000;
