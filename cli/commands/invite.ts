import { encodeInvitation, type Invitation, invitationSigned } from '../../protocol/invitation.ts';
import { WORD_CHARS_MAX } from '../../protocol/limits.ts';
import { concatBytes, toBase64Url } from '../../protocol/text.ts';
import { nowMs } from '../../runtime/node/clock.ts';
import { loadOrMakeKeyFile } from '../../runtime/node/crypto.ts';
import { command } from '../command.ts';
import { option, optional, required, toggle } from '../options.ts';
import { print, printJson } from '../output.ts';
import { readFilePath, readPublicKey, size, textOf, wholeNumber } from '../readers.ts';

const readQuota = size(1, 2 ** 44, 'up to 16384G');

export const invite = command({
  name: 'invite',
  summary: 'invite somebody to keep blocks on INS servers that know you',
  description: `Prints an invitation: whoever shows it to an INS server that was started with your key as --provider gets a place there for
what it says. It is for one account, or with no --account for whoever has it.`,
  options: {
    key: required('FILE', 'your key as a provider', readFilePath, 'inswarm keygen --key FILE makes one'),
    account: optional('KEY', 'only for the account with this public key', readPublicKey),
    application: optional(
      'WORD',
      'only for this application; that of sources and viewers is inswarm/live',
      textOf(WORD_CHARS_MAX),
    ),
    quota: option('BYTES', 'most that the account may keep', readQuota, 512 * 2 ** 20, '512M'),
    objects: option('NUMBER', 'most blocks that it may keep', wholeNumber(1, 0xffff_ffff, 'blocks'), 65_536),
    rate: optional('KBPS', 'most that it may put, in kbit/s', wholeNumber(1, 1_000_000_000, 'kbit/s')),
    weight: option('NUMBER', 'its share beside other accounts of yours', wholeNumber(1, 0xffff, ''), 1),
    days: option('DAYS', 'how long it is good for', wholeNumber(1, 3_650, 'days'), 365),
    json: toggle('print one line of JSON'),
  },
  examples: [
    ['Your key, and the public key that servers are to know', 'inswarm keygen --key provider.key'],
    ['A server for those whom you invite', 'inswarm ins --registration invitation --provider KEY'],
    ['A place of 1 GiB for a source', 'inswarm invite --key provider.key --quota 1G --application inswarm/live'],
  ],
  async run({ key, account, application, quota, objects, rate, weight, days, json }) {
    const keys = loadOrMakeKeyFile(key);
    const seconds = Math.floor(nowMs() / 1000);
    const invitation: Invitation = {
      version: 1,
      provider: keys.publicKey,
      account: account ?? null,
      application: application ?? null,
      quotaBytes: quota,
      quotaObjects: objects,
      rateBps: rate === undefined ? null : rate * 1_000,
      weight,
      notBefore: seconds,
      expires: seconds + days * 86_400,
    };
    const body = encodeInvitation(invitation);
    const text = toBase64Url(concatBytes(body, keys.sign(invitationSigned(body))));
    const provider = toBase64Url(keys.publicKey);
    if (json) printJson({ event: 'invitation', invitation: text, provider, expiresAtMs: invitation.expires * 1000 });
    else print(text);
  },
});
