/**
 * What DECADE asks of in-network storage, and where this project shows it.
 *
 * RFC 7069 and the requirements before it say what a service of this kind has to do; no test suite for it exists. Each line names
 * the requirement, the test that shows it (file and name), or why it does not apply here.
 */
export interface Requirement {
  readonly asks: string;
  /** `file: name of the test`, the file below `test/`. */
  readonly shownBy?: readonly string[];
  /** Why it does not apply, or what of it is not done. */
  readonly butNot?: string;
}

export const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  'D-1': {
    asks: 'read, write and delete are the core operations',
    shownBy: [
      'ins/server-batch: IN5: numbers gets, puts, deletes and statuses through, answers each by itself, then is done',
      'ins/http-blocks: HT3: takes a block, gives it back, tells of it, and lets it go',
    ],
  },
  'D-2': {
    asks: 'applications control where data is, how long, and who may have it (RFC 7069 section 4.4)',
    shownBy: [
      'ins/server-tokens: TO2: may name several servers: each of them holds the locker',
      'ins/server-attributes: IN17: are set by the owner, and by whom a token lets put',
      'ins/server-access: AC5: is set by the owner alone; a locker that nobody has is private',
    ],
  },
  'D-3': {
    asks: 'access is fast enough for applications with deadlines',
    shownBy: [
      'ins/server-sending: IN5: goes out in the order of the deadlines, also of those asked later',
      'ins/server-follow: IN7: begins at the newest part that a reader may start at, and brings what is put later',
      'ins/server-wait: IN6: is answered when the block is put, for all who wait, and only to those whose token covers it',
    ],
  },
  'D-4': {
    asks: 'servers pass data on to each other at a client’s word, without its last mile (section 6.4)',
    shownBy: [
      'ins/two-servers: give what was put on one through the other, byte for byte',
      'ins/two-servers: pass on what is put through one for the other, and file without bytes what its putter has',
    ],
  },
  'D-5': {
    asks: 'a server fetches from another one and returns the data, or keeps it without returning it (section 6.4)',
    shownBy: [
      'ins/server-remote: IN12: fetches a block once, however many ask for it at the same time or later',
      'ins/server-remote: IN9: fetches and files without sending, for who asks so',
    ],
  },
  'D-6': {
    asks: 'a server stores on another one what comes from the client or is there already (section 6.4)',
    shownBy: [
      'ins/server-remote-put: IN18: is checked for its name before it goes on',
      'ins/server-remote-put: IN18: sends what is here already without the client',
    ],
  },
  'D-7': {
    asks: 'attributes may go with what is stored elsewhere (section 6.4)',
    shownBy: [
      'ins/server-remote-put: IN18: is acknowledged when the other server has it, with label, companion, time and media type',
    ],
  },
  'D-8': {
    asks: 'clients share out bandwidth, storage and connections (section 6.2)',
    shownBy: [
      'ins/server-limits: TO7: gives so many bytes',
      'ins/server-limits: TO7: holds a follow to its rate, and drops nothing of it',
      'ins/server-sharing: IN19: shares inside an account between applications, inside those between tokens, under those between links',
      'ins/server-lockers: IN9: keeps within its quota',
      'ins/server-links: IN2: leaves others of its account alone as long as there are no more than allowed',
    ],
  },
  'D-9': {
    asks: 'objects may be small; the protocol may bound their size (section 4.2)',
    shownBy: [
      'conformance/decade: D-9: one byte and 1 MiB are objects, nothing and a byte more are none',
      'ins/http-refusals: HT4: refuses bodies that are too long or empty before it takes them',
    ],
  },
  'D-10': {
    asks: 'users read and write their own storage, and agree with the server on how',
    shownBy: [
      'ins/server-lockers: IN8: is acknowledged once the block can be had, by label and by name',
      'ins/server-links: GE10: that speaks another version, or says hello twice, is closed',
      'ins/http-blocks: HT4: files under the label that the headers name, where those who follow see it at once',
    ],
  },
  'D-11': {
    asks: 'access is controlled for others, those of other providers too (section 5.5)',
    shownBy: [
      'ins/server-tokens: TO3: opens the range it names, by label and by name',
      'ins/server-remote: IN12: gives what it has fetched only to those whose own token covers it',
    ],
  },
  'D-12': {
    asks: 'data is deleted by word and by time (sections 5.3 and 6.2.3)',
    shownBy: [
      'ins/server-lockers: IN10: frees what is deleted, and only what is its own',
      'ins/server-lockers: ends with its time to live',
    ],
  },
  'D-13': {
    asks: 'users learn what they keep and what is left of their limits (section 6.2.2)',
    shownBy: ['ins/server-lockers: IN10: tells its owner what is in it, and others with a token for that'],
  },
  'D-14': {
    asks: 'objects never change; the same object twice is seen to be the same (section 4.2)',
    shownBy: [
      'ins/server-lockers: IN8: under a label that another block has is refused; the same block again lives on',
      'ins/server-reference: holds identical blocks of many lockers once, until the last of them is deleted',
    ],
  },
  'D-15': {
    asks: 'clients name objects, by RFC 6920, with a type; a name is the same on all servers (sections 4.3 and 6.1)',
    shownBy: [
      'protocol/names: GE8: a name is the type byte of BLAKE3 and 32 bytes of hash',
      'protocol/names: GE8: as text it has the form of RFC 6920',
    ],
    butNot: 'One way of binding names is in use, BLAKE3; the type byte leaves room for others.',
  },
  'D-16': {
    asks: 'the application’s own names are its own business (section 6.1)',
    shownBy: [
      'ins/client-examples: file: a copy, bit for bit',
      'ins/client-get: gets by label, with what was put beside the block',
    ],
  },
  'D-17': {
    asks: 'servers may check names against bytes; clients always do (section 8.3)',
    shownBy: [
      'ins/server-lockers: IN8: of bytes that do not have the name is refused, and nothing of it is served',
      'ins/client-get: never gives bytes that do not have the name they came under',
    ],
  },
  'D-18': {
    asks: 'tokens are made by clients or servers; signature and operation are checked (sections 3, 5.5, 6.2.1)',
    shownBy: [
      'ins/client-put: says what it allows, and is text',
      'ins/server-tokens: IN3: that is forged, malformed or missing is refused',
    ],
  },
  'D-19': {
    asks: 'tokens carry operations, objects, server, priority, bandwidth, amount, expiry and signature (A.3)',
    shownBy: [
      'ins/server-tokens: that %s is refused',
      'ins/server-limits: TO7: gives so many bytes',
      'ins/server-sharing: IN19: shares inside an account between applications, inside those between tokens, under those between links',
      'ins/server-sharing: IN20: sends what is more urgent first inside an application, which costs other accounts nothing',
    ],
    butNot:
      'The priority is said with the request and holds inside one application, so that no token can promise it to many.',
  },
  'D-20': {
    asks: 'tokens have an id; they are good once or often, and use beyond that is refused (section 6.2.1)',
    shownBy: [
      'ins/server-limits: TO7: is good for so many items, and used up then',
      'ins/server-limits: TO7: is counted over all who bear it, and over reconnects',
    ],
  },
  'D-21': {
    asks: 'tokens can be revoked by id (section 6.2.1)',
    shownBy: [
      'ins/server-access: TO11: by id is void for all who bear it, at once',
      'ins/server-access: TO11: by epoch is void if it has a lower one, and the epoch never falls',
    ],
  },
  'D-22': {
    asks: 'tokens may be bound to somebody, and are not by default (section 6.2.1)',
    shownBy: [
      'ins/server-delegation: TO6: opens nothing to others, whatever they ask for',
      'ins/server-tokens: is verified once for all who bear it, and not at all when its claims refuse it',
    ],
  },
  'D-23': {
    asks: 'tokens may let write into somebody else’s locker (sections 5.3 and 5.5)',
    shownBy: ['ins/server-tokens: TO2: for writing puts into the locker of its issuer, within its range'],
  },
  'D-24': {
    asks: 'a server’s own policies go before a valid token (section 5.5)',
    shownBy: [
      'ins/server-tokens: IN12: of another server is refused where none may be dialled',
      'ins/server-accounts: AC3: has no place for who comes uninvited, but lets him read under tokens',
    ],
  },
  'D-25': {
    asks: 'resources are scheduled by clients’ policies and what the provider has granted them (section 5.3)',
    shownBy: [
      'ins/server-sharing: IN19: gives accounts of weights 1 and 3 a quarter and three quarters, whoever reads in their lockers',
      'ins/server-accounts: AC3: gives an account the place that its invitation says',
    ],
  },
  'D-26': {
    asks: 'delegation goes provider, user, application, client; applications do not disturb each other (section 4.5)',
    shownBy: [
      'ins/server-sharing: IN19: gives providers equal shares, and all whom nobody has invited one together',
      'ins/server-sharing: IN20: sends what is more urgent first inside an application, which costs other accounts nothing',
      'ins/server-delegation: TO10: opens the locker of the owner, in the part that it was given',
    ],
  },
  'D-27': {
    asks: 'objects have attributes that can be read and set, local to the server (section 6.2.3)',
    shownBy: [
      'ins/server-attributes: IN17: are size, media type, time left and how often it was read',
      'ins/server-attributes: IN17: are set by the owner, and by whom a token lets put',
    ],
  },
  'D-28': {
    asks: 'status tells how data was accessed, and since when that is counted (section 6.2.2)',
    shownBy: ['ins/server-attributes: IN10: are summed up in the status, since when it says'],
    butNot: 'Who has read is not kept: the viewers’ rights go before the list that the RFC allows.',
  },
  'D-29': {
    asks: 'data is public, restricted or private (section 7)',
    shownBy: [
      'ins/server-access: AC5: to the public can be read and followed by everybody without a token',
      'ins/server-access: AC5: to members can be read by accounts of the owner’s application alone',
      'ins/server-lockers: is private',
    ],
  },
  'D-30': {
    asks: 'whatever fails says why; overload is said (section 6.3)',
    shownBy: [
      'ins/http-refusals: HT5: has a status for every reason',
      'ins/server-sending: IN4: is refused when more is asked for than a queue holds',
    ],
  },
  'D-31': {
    asks: 'clients are sent to other servers (section 8.1)',
    shownBy: ['ins/server-links: IN15: is sent what it has asked for, and sent elsewhere in turn for all else'],
  },
  'D-32': {
    asks: 'data and tokens can travel in confidence (sections 6.2.1 and 8.2)',
    butNot:
      'Encryption is that of TLS, which ends at a proxy in front of the server; clients take wss:// and https:// addresses as they take others.',
  },
  'D-33': {
    asks: 'clients find servers, several, and spread over them (section 5.6)',
    shownBy: [
      'tracker/ins-servers: TR20: at most three are given, and all take their turn',
      'tracker/ins-servers: TR20: the nearest region goes before load',
    ],
  },
  'D-34': {
    asks: 'objects can be moved and copied (section 7, A.2)',
    shownBy: ['ins/server-reference: IN16: copies, and with a delete moves, what is in one’s own locker'],
  },
  'D-35': {
    asks: 'what a server has need not be uploaded again by who proves to have it (A.1.3)',
    shownBy: [
      'ins/server-reference: IN16: files what the server holds for who proves to have it, and stores it once',
      'ins/server-reference: IN16: says the same of a wrong proof as of a block that is not there',
    ],
  },
  'D-36': {
    asks: 'a server may be a cluster behind one name (section 5.3)',
    butNot: 'A server is one process; the store’s interface is asynchronous, so that several can come to share one.',
  },
  'D-37': {
    asks: 'clients always open the connection',
    shownBy: [
      'ins/conversation-connection: dials again after pauses that grow with how long it has been gone, and starts again with a short one',
      'browser/page: INS mode: plays, speaks to the tracker and the INS server alone, and sends no block',
    ],
  },
  'D-38': {
    asks: 'data can be had while its owner is away',
    shownBy: ['conformance/decade: D-38: what an owner has put is read under its token when the owner is gone'],
  },
  'D-39': {
    asks: 'many read and write at once, and data may be read before it is written to the end',
    shownBy: ['conformance/decade: D-39: many read and write at once'],
    butNot:
      'A block is sent when it is whole: its name can be checked only then. Blocks are small, and a follow needs no request.',
  },
  'D-40': {
    asks: 'hints tell how data will be used',
    shownBy: [
      'ins/server-batch: IN9: with keep and not deliver files blocks without sending them',
      'ins/server-batch: IN8: keeps blocks for 120 s when it names no time',
    ],
    butNot: 'Times to live, deadlines, priorities and fetching ahead are the hints; there are no others.',
  },
  'D-41': {
    asks: 'policies hold for each remote client and each application (section 5.3)',
    shownBy: [
      'ins/server-sharing: IN19: gives all who bear tokens for anybody one share, whichever of them they have been given',
      'ins/server-limits: TO7: says of a get beyond its rate when to ask again',
    ],
  },
  'D-42': {
    asks: 'errors part what is gone, what never was, what is not allowed and what is too much',
    shownBy: [
      'ins/server-lockers: IN6: says of a label whether it is not there yet, not there any more, or not at all',
      'ins/http-refusals: HT5: says why not: a status and a reason',
    ],
  },
  'D-43': {
    asks: 'one request carries several operations; a client has at most M connections, by default one (the drafts)',
    shownBy: [
      'ins/server-batch: IN5: numbers gets, puts, deletes and statuses through, answers each by itself, then is done',
      'ins/server-links: IN2: takes the place of an older one of the same account, whose requests end',
    ],
  },
  'D-44': {
    asks: 'a range token rides on what tells of availability (the drafts)',
    shownBy: [
      'swarm/announcer: a new token rides on the next bitmap, once, and goes to nobody in native mode',
      'ins/server-follow: IN11: goes on under the owner’s new token, and so does its alias',
    ],
  },
  'D-45': {
    asks: 'local get, and remote get that leaves a copy at the local server (the drafts)',
    shownBy: [
      'ins/server-remote: IN12: fetches a block once, however many ask for it at the same time or later',
      'ins/server-remote: IN13: keeps a copy no longer than the original lives',
    ],
  },
  'D-46': {
    asks: 'users and applications register at the server (the drafts)',
    shownBy: [
      'ins/server-accounts: AC3: gives an account the place that its invitation says',
      'ins/server-access: AC5: to members can be read by accounts of the owner’s application alone',
    ],
  },
};
