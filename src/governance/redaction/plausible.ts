/** Whether a value that stands where a secret could is one: by what it is made of. */

const placeholder =
  /^(?:[$%<{*[]|your[-_]|my[-_]|example|placeholder|change-?me|redacted|null|none|undefined|true|false|optional|required|process\.|os\.|env[.[]|config\.|vault:|secrets?[./:]|ref\+|file:|https?:\/\/|\.{0,2}\/)|^(.)\1+$|[*]{4}|x{8}|\.\.\./i;
const memberAccess = /^[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)+$/;

/** What a generator makes: letters and digits in no order that a person would choose. */
export function isOpaque(value: string): boolean {
  if (placeholder.test(value) || memberAccess.test(value)) return false;
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropy(value) >= (value.length >= 20 ? 3.2 : 2.8);
}

/** What a person may have chosen: also words, where they are long or mixed. */
export function isPassphrase(value: string, key: string): boolean {
  if (placeholder.test(value) || memberAccess.test(value)) return false;
  // `password_file: /run/x`, `passwordPolicy: strict9`
  if (
    /(?:hash|ids?|names?|paths?|files?|urls?|policy|field|input|length|ttl|reset|strength)["'\]]{0,2}[ \t]*(?:=>|:=|=|:)[ \t]*["'`]?$/i.test(
      key,
    )
  )
    return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9_.-]/].filter((kind) => kind.test(value)).length;
  if (/\d/.test(value) && kinds >= 2) return entropy(value) >= 2.5;
  const isText = /["'`]$/.test(key);
  if (!isText) return false;
  return kinds >= 3 || (value.length >= 12 && entropy(value) >= 3 && !/^[a-z]+$/i.test(value));
}

/** Shannon's, in bits a character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
