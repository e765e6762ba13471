const REVOKE_MS = 10_000;

/** Hands a file to the browser, which asks where to or has a place for it. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // At once would be too early for some browsers: they read it after the click.
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}
