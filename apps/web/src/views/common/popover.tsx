import { type ReactNode, useEffect, useRef } from 'react';

interface PopoverProps {
  readonly className: 'menu' | 'popover';
  /** What is always seen; a click on it opens the rest. */
  readonly summary: ReactNode;
  readonly title: string;
  readonly testId?: string;
  readonly tone?: 'is-bad' | 'is-warning' | undefined;
  readonly children: ReactNode;
}

/** Opens over the page; closes by Esc, and by a click anywhere else. */
export function Popover({ className, summary, title, testId, tone, children }: PopoverProps) {
  const root = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const onPointerDown = (event: PointerEvent): void => {
      const details = root.current;
      if (details?.open && event.target instanceof Node && !details.contains(event.target)) details.open = false;
    };
    document.addEventListener('pointerdown', onPointerDown);
    return () => document.removeEventListener('pointerdown', onPointerDown);
  }, []);
  return (
    <details
      className={className}
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !root.current?.open) return;
        event.preventDefault();
        root.current.open = false;
        root.current.querySelector('summary')?.focus();
      }}
    >
      <summary className={tone} title={title} data-testid={testId}>
        {summary}
      </summary>
      <div className={`${className}-panel`}>{children}</div>
    </details>
  );
}

/** What was chosen is being done; the keys go back to what opened the menu. */
export function closeMenuOf(choice: HTMLElement): void {
  const menu = choice.closest('details');
  if (menu === null) return;
  menu.open = false;
  menu.querySelector('summary')?.focus();
}
