/** Reads where a request wants to go, in one canonical form: what is authorised is what is connected to. */
export interface Endpoint {
  /** Lower case, without brackets or a final dot; an IPv4 address in any notation becomes four decimal numbers. */
  readonly host: string;
  readonly port: number;
}

/** `host:port` of CONNECT, or undefined. */
export function connectTarget(authority: string): Endpoint | undefined {
  if (!/^(?:[^\s/?#@\\:[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(authority)) return undefined;
  // The URL parser drops the scheme's own port, so it is read from the text.
  const port = Number(authority.slice(authority.lastIndexOf(':') + 1));
  const url = URL.parse(`http://${authority}`);
  return url === null ? undefined : endpoint(url.hostname, port);
}

/** The target of a request in absolute form (`GET http://host/path`), or undefined. */
export function absoluteTarget(text: string): (Endpoint & { readonly url: URL }) | undefined {
  const url = /^http:\/\//i.test(text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const found = endpoint(url.hostname, url.port === '' ? 80 : Number(url.port));
  return found && { ...found, url };
}

function endpoint(hostname: string, port: number): Endpoint | undefined {
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return host === '' || port < 1 || port > 65_535 ? undefined : { host, port };
}
