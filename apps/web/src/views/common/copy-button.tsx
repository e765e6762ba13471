import { Check, Copy, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { copyText } from './copy-text.ts';

const TOLD_MS = 1500;

interface CopyButtonProps {
  /** What is copied, in words: `Copy the command`. */
  readonly label: string;
  readonly text: string | (() => string);
  /** Shows the icon alone. */
  readonly isBare?: boolean;
}

/** Copies, and says that it has. */
export function CopyButton({ label, text, isBare = false }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'copied' | 'refused'>();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), TOLD_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const Icon = outcome === 'copied' ? Check : outcome === 'refused' ? X : Copy;
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(typeof text === 'string' ? text : text());
    setOutcome(isCopied ? 'copied' : 'refused');
  };
  return (
    <button
      type="button"
      className={isBare ? 'copy-button is-bare' : 'copy-button'}
      title={label}
      onClick={() => void copy()}
    >
      <Icon size={13} aria-hidden="true" />
      <span role="status" className={isBare ? 'visually-hidden' : undefined}>
        {outcome === undefined ? label : outcome === 'copied' ? 'Copied' : 'Not allowed here'}
      </span>
    </button>
  );
}
