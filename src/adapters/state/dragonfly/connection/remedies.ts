/** What can be wrong with a state server, and what to do about it, by the code or word that tells it. */

export interface Remedy {
  readonly what: string;
  readonly fix: string;
}

const addressFix = 'Check state.url in agov.yaml, and that the server runs and listens there.';
const oneServer = 'Use one server that holds all keys: Dragonfly, also with --cluster_mode=emulated, Valkey or Redis.';

export const networkRemedies: Readonly<Record<string, Remedy>> = {
  ECONNREFUSED: { what: 'refuses connections.', fix: addressFix },
  ENOTFOUND: { what: 'has a name that does not resolve.', fix: 'Correct the host in state.url, or its DNS record.' },
  EAI_AGAIN: { what: 'has a name that DNS does not resolve at present.', fix: 'Check the name server, and try again.' },
  EHOSTUNREACH: { what: 'cannot be reached from here.', fix: 'Check the route and the firewall.' },
  ENETUNREACH: { what: 'cannot be reached from here.', fix: 'Check the route and the firewall.' },
  ETIMEDOUT: { what: 'does not answer.', fix: 'Check the address, the firewall and the load of the server.' },
};

export const trustFix =
  'If the certificate is the right one, name the file of its authority as state.caFile in agov.yaml.';
export const tlsRemedies: Readonly<Record<string, Remedy>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: 'shows a certificate for another name.',
    fix: 'Use a name in state.url that the certificate holds, or have one made for this name.',
  },
  CERT_HAS_EXPIRED: { what: 'shows a certificate that has expired.', fix: 'Renew the server’s certificate.' },
  DEPTH_ZERO_SELF_SIGNED_CERT: { what: 'shows a self-signed certificate that is not trusted here.', fix: trustFix },
  SELF_SIGNED_CERT_IN_CHAIN: { what: 'shows a certificate of an authority that is not trusted here.', fix: trustFix },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { what: 'shows a certificate that cannot be verified here.', fix: trustFix },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    what: 'shows a certificate of an authority that is unknown here.',
    fix: trustFix,
  },
  CERT_SIGNATURE_FAILURE: { what: 'shows a certificate that its authority did not sign.', fix: trustFix },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    what: 'does not speak TLS on that port.',
    fix: 'Write the TLS port in state.url, or redis:// for a server without TLS.',
  },
};

/** By the first word of a reply error. */
export const replyRemedies: Readonly<Record<string, Remedy>> = {
  NOAUTH: { what: 'demands a password.', fix: 'Give it in the environment variable AGOV_STATE_PASSWORD.' },
  WRONGPASS: {
    what: 'refuses the user name or the password.',
    fix: 'Correct the user in state.url and the environment variable AGOV_STATE_PASSWORD.',
  },
  LOADING: { what: 'is still loading its data.', fix: 'Wait until it has; agov goes on by itself.' },
  READONLY: { what: 'is a read-only replica.', fix: 'Write the address of the primary in state.url.' },
  MASTERDOWN: {
    what: 'is a replica that has lost its primary.',
    fix: 'Write the address of the primary in state.url.',
  },
  MOVED: { what: 'is one node of a cluster, and the keys lie on another.', fix: oneServer },
  ASK: { what: 'is one node of a cluster, and the keys are moving to another.', fix: oneServer },
  CROSSSLOT: { what: 'is a cluster that does not keep the keys of one hash tag together.', fix: oneServer },
  CLUSTERDOWN: { what: 'is a node of a cluster that is down.', fix: oneServer },
  OOM: { what: 'has no memory left.', fix: 'Raise its memory limit, or free some.' },
  MISCONF: { what: 'refuses writes because it cannot save its snapshot.', fix: 'Check the disk of the server.' },
  BUSY: { what: 'is busy with a script.', fix: 'Try again; if it lasts, look which client runs the script.' },
};
