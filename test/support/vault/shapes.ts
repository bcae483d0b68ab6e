/** Things that stand in the fake Vault. */

export interface FakeMount {
  readonly type: string;
  readonly options: Readonly<Record<string, string>> | null;
  readonly config?: MountConfig;
}

export interface FakeLogin {
  readonly type: string;
  readonly accessor: string;
  readonly config: MountConfig;
}

export type MountConfig = Readonly<Record<string, unknown>>;

export interface FakeGroup {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly policies: readonly string[];
  readonly member_entity_ids: readonly string[];
  readonly member_group_ids: readonly string[];
}

export interface FakeDevice {
  readonly type: string;
  readonly options: Readonly<Record<string, string>>;
}
