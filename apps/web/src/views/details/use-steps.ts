import { useState } from 'react';

/** The first so many of a list, and as many more each time that somebody asks. */
export function useSteps<T>(all: readonly T[], step: number) {
  const [limit, setLimit] = useState(step);
  return {
    shown: all.length > limit ? all.slice(0, limit) : all,
    more: Math.max(0, all.length - limit),
    showMore: () => setLimit((limit) => limit + step),
  };
}
