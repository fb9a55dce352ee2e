import { useEffect, useState } from 'preact/hooks';
import { COARSE_STEP_NS } from '../suite/summary.ts';
import { Comparison } from './comparison.tsx';
import { Controls } from './controls.tsx';
import { Device } from './device.tsx';
import { duration } from './format.ts';
import { Overview } from './overview.tsx';
import { Roofline } from './roofline.tsx';
import { Scaling } from './scaling.tsx';
import { type Session, settingsFrom, useSession } from './session.ts';
import { Source } from './source.tsx';
import { TimelineView } from './timeline.tsx';

const VIEWS = {
  overview: 'Overview',
  roofline: 'Roofline',
  timeline: 'Timeline',
  scaling: 'Scaling',
  comparison: 'Comparison',
  source: 'Source',
  device: 'Device',
} as const;

type View = keyof typeof VIEWS;

const isView = (word: string): word is View => word in VIEWS;
const viewOf = (hash: string): View => {
  const word = hash.slice(1);
  return isView(word) ? word : 'overview';
};

export function App() {
  const session = useSession();
  const [view, setView] = useState(viewOf(location.hash));
  const [settings, setSettings] = useState(() => settingsFrom(location.href));
  const [selected, setSelected] = useState('chord_error');
  useEffect(() => {
    const follow = () => setView(viewOf(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const select = (base: string) => {
    setSelected(base);
    location.hash = 'source';
  };
  const shared = { session, settings, selected };
  return (
    <>
      <header>
        <h1>turnproof bench</h1>
        <Where session={session} />
      </header>
      {session.error !== undefined && (
        <p class="error" role="alert">
          {session.error}{' '}
          <button type="button" onClick={session.dismiss}>
            close
          </button>
        </p>
      )}
      <Controls {...shared} onSettings={setSettings} onSelected={setSelected} />
      <nav aria-label="Views">
        {Object.entries(VIEWS).map(([key, title]) => (
          <a key={key} href={`#${key}`} aria-current={key === view ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <main>
        {view === 'overview' && <Overview {...shared} onSelect={select} />}
        {view === 'roofline' && <Roofline {...shared} />}
        {view === 'timeline' && <TimelineView session={session} />}
        {view === 'scaling' && <Scaling {...shared} onSelected={setSelected} />}
        {view === 'comparison' && <Comparison session={session} />}
        {view === 'source' && <Source {...shared} onSelected={setSelected} />}
        {view === 'device' && <Device session={session} />}
      </main>
    </>
  );
}

/** On what the numbers in view were measured, and what to mind about it. */
function Where({ session: { result, gpu } }: { session: Session }) {
  const c = result?.circumstances;
  const adapter = c?.adapter ?? gpu?.adapter.name;
  if (adapter === undefined) return <p class="where">looking for a GPU …</p>;
  const software = (c?.adapterKind ?? gpu?.adapter.kind) === 'software';
  const step = result?.clockStep;
  return (
    <p class="where">
      <strong>{adapter}</strong>
      {software && (
        <span class="badge" title="computed by the processor: compare shapes, not speeds, with a GPU">
          software adapter
        </span>
      )}
      {result && step === null && <span class="badge">no GPU clock: wall times</span>}
      {step != null && step > COARSE_STEP_NS && (
        <span class="badge" title="the browser rounds the GPU's clock">
          GPU clock in steps of {duration(step / 1e6)}
        </span>
      )}
      {c && (
        <span>
          {c.runtime}, {c.platform}, {c.cores} processors · commit{' '}
          {c.commit === null ? 'unknown' : `${c.commit.slice(0, 9)}${c.modified ? ', modified' : ''}`} ·{' '}
          {c.date.slice(0, 16).replace('T', ' ')} UTC
        </span>
      )}
    </p>
  );
}
