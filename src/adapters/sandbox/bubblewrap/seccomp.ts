/**
 * The system calls that namespaces leave open: a classic BPF program for seccomp(2), as `bwrap --seccomp` reads it.
 * Denied are typing into a terminal (TIOCSTI, TIOCLINUX: only the low 32 bits count, CVE-2019-10063), the kernel keyring
 * (which no namespace divides), socket families that pass by the network namespace (vsock reaches the hypervisor),
 * io_uring (it opens sockets unseen by this filter), and tracing process 1, which ends everything when the governor dies.
 */
import { endianness } from 'node:os';

interface Architecture {
  readonly audit: number;
  readonly ioctl: number;
  readonly socket: number;
  readonly ptrace: number;
  readonly writeMemory: number;
  /** add_key, request_key, keyctl, perf_event_open, bpf, userfaultfd, io_uring_setup, _enter, _register. */
  readonly denied: readonly number[];
  /** Calls from here on belong to another ABI (x32) whose numbers the table does not know. */
  readonly foreignFrom?: number;
}

const architectures: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    ioctl: 16,
    socket: 41,
    ptrace: 101,
    writeMemory: 311,
    denied: [248, 249, 250, 298, 321, 323, 425, 426, 427],
    foreignFrom: 0x40000000,
  },
  arm64: {
    audit: 0xc00000b7,
    ioctl: 29,
    socket: 198,
    ptrace: 117,
    writeMemory: 271,
    denied: [217, 218, 219, 241, 280, 282, 425, 426, 427],
  },
};

const [load, equals, atLeast, answer] = [0x20, 0x15, 0x35, 0x06];
const allow = 0x7fff0000;
const [eperm, enosys, eafnosupport] = [1, 38, 97].map((errno) => 0x00050000 | errno) as [number, number, number];
const argument = (index: number): number => 16 + 8 * index;
const terminalInput = [0x5412, 0x541c];
const families = { unix: 1, inet: 2, inet6: 10, netlink: 16 };

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** Undefined for a processor without a table. */
export function systemCallFilter(arch: string): Uint8Array | undefined {
  const table = architectures[arch];
  if (table === undefined || endianness() !== 'LE') return undefined;
  const program: Instruction[] = [
    [load, 0, 0, 4],
    [equals, 1, 0, table.audit],
    [answer, 0, 0, enosys],
    [load, 0, 0, 0],
    ...(table.foreignFrom === undefined ? [] : when(atLeast, table.foreignFrom, [[answer, 0, 0, enosys]])),
    ...table.denied.flatMap((call) => when(equals, call, [[answer, 0, 0, eperm]])),
    ...when(equals, table.ioctl, denyValues(1, terminalInput)),
    ...when(equals, table.ptrace, denyValues(1, [1])),
    ...when(equals, table.writeMemory, denyValues(0, [1])),
    ...when(equals, table.socket, allowValues(0, Object.values(families))),
    [answer, 0, 0, allow],
  ];
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, ifTrue);
    view.setUint8(index * 8 + 3, ifFalse);
    view.setUint32(index * 8 + 4, value, true);
  });
  return bytes;
}

function when(test: number, value: number, body: readonly Instruction[]): readonly Instruction[] {
  return [[test, 0, body.length, value], ...body];
}

function denyValues(index: number, values: readonly number[]): readonly Instruction[] {
  return [
    [load, 0, 0, argument(index)],
    ...values.flatMap((value) => when(equals, value, [[answer, 0, 0, eperm]])),
    [answer, 0, 0, allow],
  ];
}

function allowValues(index: number, values: readonly number[]): readonly Instruction[] {
  return [
    [load, 0, 0, argument(index)],
    ...values.flatMap((value) => when(equals, value, [[answer, 0, 0, allow]])),
    [answer, 0, 0, eafnosupport],
  ];
}
