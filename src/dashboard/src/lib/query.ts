// What stands behind the question mark of an address.

/** `?a=1&b=2` of what is set. */
export function query(fields: Record<string, string | number | boolean | null | undefined>): string {
  const set = Object.entries(fields).filter(([, v]) => v !== undefined && v !== null && v !== "" && v !== false);
  return set.length ? "?" + new URLSearchParams(set.map(([k, v]) => [k, String(v)])).toString() : "";
}
