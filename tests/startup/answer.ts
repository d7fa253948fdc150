/** What the host helper answers, as far as the tests read single fields of it. */
export interface HelperAnswer {
  ok: boolean;
  result: HelperResult;
  error?: { code: string; message: string; remedy?: string };
}

export interface HelperResult {
  uid: number;
  created: boolean;
  accounts: { user: string; uid: number; target: string; keys: string[]; home: string }[];
  skipped: { instance: string; server?: string; user?: string; reason: string }[];
  answered: string[];
  silent: { server: string; reason: string }[];
  banner: string;
  hostKeys: string[];
  memory: { totalBytes: number; availableBytes: number };
  pool: { totalBytes: number; usedBytes: number };
}
