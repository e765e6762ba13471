// A stamp says: this work was finished, and from these inputs. It is taken away before
// the work begins, so that work cut short is done again.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** @param {string} file */
export function readStamp(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined; // never done, or deleted by somebody who wants it done again
  }
}

/**
 * @param {string} file
 * @param {string} hash
 */
export function writeStamp(file, hash) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${hash}\n`);
}

/** @param {string} file */
export function clearStamp(file) {
  rmSync(file, { force: true });
}

/**
 * @param {string} root
 * @param {readonly string[]} files absolute paths
 * @param {string} [salt] anything else that the result depends on
 * @returns {string} changes when a file's name or content does
 */
export function hashFiles(root, files, salt = '') {
  const hash = createHash('sha256').update(salt);
  for (const file of [...files].sort()) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'test-results']);

/**
 * @param {string} path a file or a folder; one that does not exist has no files
 * @returns {string[]} its files, at any depth, without tests and build output
 */
export function sourceFiles(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) {
      return SKIPPED_FOLDERS.has(entry.name) || entry.name.startsWith('.') ? [] : sourceFiles(join(path, entry.name));
    }
    return entry.isFile() && !/\.(test|bench)(-d)?\.tsx?$|\.md$/.test(entry.name) ? [join(path, entry.name)] : [];
  });
}
