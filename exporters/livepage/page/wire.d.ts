// Code generated from wire.go by internal/wiretypes. DO NOT EDIT.

/** Nano-dollars. Beyond what a number holds exactly, they are a string. */
export type Amount = number | string;

/** snapshot is live/snapshot.json, and the data of an event "snapshot" of live/events. */
export interface Snapshot {
  v: number;
  now: number;
  /** between two snapshots of a stream */
  every: number;
  service: Service;
  /** the declared ones in their order, then others */
  stages: string[];
  running: number;
  /** live ones: at most 100, those that need a look before others */
  jobs: Job[];
  finished: Job[];
  /** ended jobs that are kept */
  kept: number;
  keep_most: number;
  /** when the newest job ended that is not remembered */
  forgotten?: number;
  hour: Hour;
  /** on paid APIs since the start; null if no call had a price */
  spent: Amount | null;
  /** of all live jobs with one; null if none has one */
  budget: Budget | null;
  apis: Api[];
  errors: Fault[];
  processes: Process[];
  pools: Pool[];
  /** scores of finished jobs from 0 to 1 in tenths */
  highlight: number[];
  attention: Notice[];
  /** null if the page was given none */
  telemetry: Telemetry | null;
  /** null if the page was given none */
  fleet: Fleet | null;
}

/** answer is live/job.json. */
export interface Answer {
  v: number;
  now: number;
  job: Job;
}

export interface Service {
  name: string;
  instance: string;
  version?: string;
  started: number;
  /** metrics and healthz are beside the page */
  metrics?: boolean;
}

/** hour sums up the jobs that ended in the last hour, as far as they are kept, and the errors of that hour, also of live jobs. Each list has 30 figures, of two minutes each, the oldest first. */
export interface Hour {
  completed: number;
  failed: number;
  canceled: number;
  /** no job of the hour is forgotten */
  whole: boolean;
  /** null if calls were made and none had a price */
  spent: Amount | null;
  unpriced: number;
  errors: number;
  top_error: Fault | null;
  finished_each: number[];
  spent_each: (Amount | null)[];
  errors_each: number[];
}

export interface Budget {
  limit: Amount;
  spent: Amount;
  held: Amount;
  unconfirmed: Amount;
  /** calls since the start; null for that of one job */
  refused: number | null;
}

export interface Job {
  /** the key: two runs may have one id */
  run: string;
  id: string;
  type?: string;
  attempt?: number;
  max_attempts?: number;
  trace?: string;
  start: number;
  end?: number;
  /** completed, failed, canceled; or how the attempt ended */
  status?: string;
  /** its type */
  error?: string;
  video?: number;
  progress: number | null;
  eta: Eta | null;
  /** null if no call had a price */
  spent: Amount | null;
  unpriced?: number;
  budget: Budget | null;
  /** since when */
  stalled?: number;
  /** how many times its usual length */
  overdue?: number;
  stages: Stage[];
  more_stages?: number;
  calls: Call[];
  more_calls?: number;
  errors?: Fault[];
  more_errors?: number;
  quality: Quality | null;
}

export interface Eta {
  left: number;
  least: number;
  most: number;
  runs: number;
  scaled?: boolean;
}

export interface Stage {
  name: string;
  depth?: number;
  start: number;
  end?: number;
  error?: string;
  progress: number | null;
  speed?: number;
  eta: Eta | null;
  usual: Usual | null;
  stalled?: number;
  overdue?: boolean;
}

export interface Usual {
  p50: number;
  p90: number;
  runs: number;
  /** of Runs */
  shorter: number;
  scaled?: boolean;
}

export interface Call {
  api: string;
  stage?: string;
  start: number;
  end?: number;
  /** that is reserved for it; null if that is unknown */
  most: Amount | null;
  /** null while it is under way or unknown */
  cost: Amount | null;
  unpriced?: string;
  error?: string;
}

export interface Quality {
  /** the spread of loudness in LU */
  before: number | null;
  after: number | null;
  segments: number | null;
  best: number | null;
  highlights?: number[];
}

export interface Api {
  api: string;
  in_progress: number;
  /** that have ended */
  calls: number;
  errors: number;
  refused: number;
  unpriced: number;
  /** null if no call of it had a price */
  cost: Amount | null;
}

/** fault counts the errors of one stage and type. */
export interface Fault {
  type: string;
  stage: string;
  count: number;
  last?: number;
}

export interface Process {
  pid: number;
  name: string;
  run: string;
  job: string;
  stage?: string;
  start: number;
  speed?: number;
  /** since its stage was seen to be stalled */
  cpu: number | null;
}

export interface Pool {
  kind: string;
  name: string;
  used: number;
  idle: number;
  max?: number;
}

/** notice is a reason to look at a job. */
export interface Notice {
  /** stalled, overdue, over_budget */
  kind: string;
  run: string;
  job: string;
  text: string;
}

export interface Telemetry {
  ok: boolean;
  text: string;
  rows: Row[];
}

export interface Row {
  name: string;
  value: string;
  /** ok, warn, bad */
  state?: string;
}

export interface Fleet {
  at: number;
  queued: number | null;
  workers: number | null;
  lost: number | null;
}
