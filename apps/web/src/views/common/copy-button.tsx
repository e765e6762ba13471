import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

const TOLD_MS = 1500;

interface CopyButtonProps {
  readonly label: string;
  readonly text: string;
}

/** Copies, and says that it has. */
export function CopyButton({ label, text }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'copied' | 'refused'>();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), TOLD_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const Icon = outcome === 'copied' ? Check : Copy;
  return (
    <button
      type="button"
      className="copy-button"
      title={label}
      onClick={() => void copy(text).then((isCopied) => setOutcome(isCopied ? 'copied' : 'refused'))}
    >
      <Icon size={13} aria-hidden="true" />
      <span role="status">{outcome === undefined ? label : outcome === 'copied' ? 'Copied' : 'Not allowed here'}</span>
    </button>
  );
}

// The clipboard of a page without TLS, other than on localhost, can be written only through a selection.
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
