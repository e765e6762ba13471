// Holds the files of a workspace to a table of allowed imports.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { EdgeTable, ModuleRule, PackageRule } from './allowed-edges.ts';
import { findImports, type ImportFound } from './import-scanner.ts';

export interface Violation {
  /** From the root of the workspace. */
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

interface SourceFile {
  readonly path: string;
  readonly packageName: string;
  readonly rule: PackageRule;
  readonly isTest: boolean;
  readonly imports: readonly ImportFound[];
}

const SOURCE = /\.(ts|tsx|mts|mjs)$/;
const TEST = /\.(test|bench|test-d)\.tsx?$|\/bench\/|\/test-setup\.ts$/;
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'test-results']);

/**
 * @param root absolute path of the workspace
 * @returns every violation, by file and line; empty when all is well
 */
export function checkEdges(root: string, table: EdgeTable): Violation[] {
  const files = Object.entries(table.packages).flatMap(([name, rule]) => readPackage(root, name, rule));
  const usedDebt = new Set<number>();
  const violations: Violation[] = [];
  for (const file of files) {
    for (const found of file.imports) {
      const what = judge(file, found, table);
      if (what === undefined) continue;
      const debt = table.debt.findIndex((entry) => entry.file === file.path && entry.imports === found.specifier);
      if (debt >= 0) usedDebt.add(debt);
      else violations.push({ file: file.path, line: found.line, what });
    }
  }
  violations.push(
    ...findNodeInBrowsers(files, table),
    ...findCycles(files),
    ...findUnknownPackages(root, table),
    ...checkDebt(table, usedDebt),
  );
  return violations.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

/** @returns what is wrong with one import, or undefined */
function judge(file: SourceFile, found: ImportFound, table: EdgeTable): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) return 'imports a computed path, which nobody can check: write it out';
  if (specifier.startsWith('.')) return judgeRelative(file, specifier, found.kind);
  if (specifier.startsWith('/')) return `imports the absolute path ${specifier}`;
  if (found.kind === 'url') return undefined;
  return judgeModule(file, specifier, table.modules) ?? judgePackage(file, specifier, table);
}

function judgeRelative(file: SourceFile, specifier: string, kind: ImportFound['kind']): string | undefined {
  const target = join(dirname(file.path), specifier);
  if (target.startsWith(`${file.rule.folder}/`)) return undefined;
  // Assets and folders outside are no imports; code is, unless it runs as a process of its own.
  if (kind === 'url' && (!SOURCE.test(target) || file.rule.starts?.includes(target))) return undefined;
  return `reaches out of its package to ${target}: import the package by its name`;
}

function judgePackage(file: SourceFile, specifier: string, table: EdgeTable): string | undefined {
  const [scope, name, ...deeper] = specifier.split('/');
  const packageName = `${scope}/${name}`;
  const isOurs = scope === '@dendro' || packageName in table.packages;
  if (!isOurs || name === undefined) return undefined;
  if (deeper.length > 0 && isForBrowsers(specifier, table)) {
    if (file.rule.imports.includes(specifier)) return undefined;
    return `imports ${specifier}: ${file.packageName} may import ${file.rule.imports.join(', ') || 'none of our packages'}`;
  }
  if (deeper.length > 0) return `imports ${specifier}: only ${packageName} itself is public`;
  if (!(packageName in table.packages)) return `imports ${packageName}, which is not in the table of packages`;
  if (file.rule.imports.includes(packageName)) return undefined;
  if (file.rule.testImports.includes(packageName)) {
    return file.isTest ? undefined : `imports ${packageName}, which only its tests and benches may`;
  }
  return `imports ${packageName}: ${file.packageName} may import ${file.rule.imports.join(', ') || 'none of our packages'}`;
}

function judgeModule(file: SourceFile, specifier: string, rules: readonly ModuleRule[]): string | undefined {
  for (const { module, only, never, because } of rules) {
    const isMeant = module === 'node:*' ? isBuiltin(specifier) : specifier === module;
    if (!isMeant) continue;
    const isOutside = only !== undefined && !only.some((prefix) => file.path.startsWith(prefix));
    const isForbidden = never?.some((prefix) => file.path.startsWith(prefix)) === true && !file.isTest;
    if (isOutside || isForbidden) return `imports ${specifier}: ${because}`;
  }
  return undefined;
}

function isForBrowsers(specifier: string, { packages }: EdgeTable): boolean {
  return Object.values(packages).some(({ inBrowsers = {} }) => specifier in inBrowsers);
}

/** What a module for browsers reaches within its package. */
function findNodeInBrowsers(files: readonly SourceFile[], { packages }: EdgeTable): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(Object.values(packages).flatMap(({ inBrowsers = {} }) => Object.values(inBrowsers)));
  const violations: Violation[] = [];
  // The set grows while it is walked.
  for (const path of reached) {
    for (const { specifier = '', kind, line } of byPath.get(path)?.imports ?? []) {
      if (isBuiltin(specifier))
        violations.push({ file: path, line, what: `imports ${specifier}: browsers load it too` });
      if (kind !== 'url' && specifier.startsWith('.')) reached.add(join(dirname(path), specifier));
    }
  }
  return violations;
}

function checkDebt(table: EdgeTable, used: ReadonlySet<number>): Violation[] {
  const violations: Violation[] = [];
  for (const [index, { file, imports, because }] of table.debt.entries()) {
    const report = (what: string) => violations.push({ file, line: 1, what });
    if (because.trim() === '') report(`the debt of importing ${imports} has no reason`);
    if (!used.has(index)) report(`the debt of importing ${imports} is paid: take it out of the table`);
  }
  return violations;
}

/** Circles of imports inside a package. Types count: a circle of types is a circle of thoughts. */
function findCycles(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const violations: Violation[] = [];
  const done = new Set<string>();
  const path: string[] = [];

  const visit = (file: SourceFile): void => {
    path.push(file.path);
    for (const { specifier, kind, line } of file.imports) {
      if (kind === 'url' || !specifier?.startsWith('.')) continue;
      const target = join(dirname(file.path), specifier);
      const from = path.indexOf(target);
      if (from >= 0) {
        const circle = [...path.slice(from), target].map((step) => relative(file.rule.folder, step));
        violations.push({ file: file.path, line, what: `closes a circle of imports: ${circle.join(' -> ')}` });
        continue;
      }
      const next = byPath.get(target);
      if (next !== undefined && !done.has(target)) visit(next);
    }
    path.pop();
    done.add(file.path);
  };

  for (const file of files) if (!done.has(file.path)) visit(file);
  return violations;
}

/** A package that the table does not know would go unchecked. */
function findUnknownPackages(root: string, table: EdgeTable): Violation[] {
  const known = new Set(Object.values(table.packages).map((rule) => rule.folder));
  return ['apps', 'packages']
    .filter((group) => existsSync(join(root, group)))
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((folder) => !known.has(folder) && existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ file: `${folder}/package.json`, line: 1, what: 'is not in the table of packages' }));
}

function readPackage(root: string, packageName: string, rule: PackageRule): SourceFile[] {
  return listSources(join(root, rule.folder)).map((absolute) => {
    const path = relative(root, absolute);
    const imports = findImports(readFileSync(absolute, 'utf8'));
    return { path, packageName, rule, isTest: TEST.test(path), imports };
  });
}

function listSources(folder: string): string[] {
  // A package of the table may be yet to come.
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : listSources(path);
      return SOURCE.test(entry.name) ? [path] : [];
    });
}
