import type { ComponentChildren } from "preact";

interface PanelProps {
  title: string;
  beside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A part of a view, with its title. */
export function Panel({ title, beside, children, class: style = "" }: PanelProps) {
  return (
    <section class={`panel ${style}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {beside}
      </header>
      {children}
    </section>
  );
}
