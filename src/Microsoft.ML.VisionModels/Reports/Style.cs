namespace Microsoft.ML.VisionModels.Reports;

/// <summary>What all reports look like, by day and by night. A chart's line and dot have the color of the class that says <c>--color</c>.</summary>
internal static class Style
{
    public const string Sheet = """
        :root {
          color-scheme: light dark;
          --page: #f6f7f9; --card: #fff; --text: #1b2027; --soft: #667080; --rule: #e3e6eb; --ground: #eef0f4;
          --accent: #3564e0; --right: #0f9d76; --wrong: #e0533a; --hero: #1c3faa;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #0f1216; --card: #181c22; --text: #e8ebf0; --soft: #939dad; --rule: #2a303a; --ground: #11151a;
            --accent: #7aa2ff; --right: #2fbf93; --wrong: #f0705a; --hero: #24439b;
          }
        }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 1120px; padding: 40px 24px 80px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
        h1 { margin: 0; font-size: 34px; line-height: 1.2; letter-spacing: -0.02em; overflow-wrap: anywhere; }
        h2 { margin: 0; font-size: 20px; letter-spacing: -0.01em; }
        h3 { margin: 0 0 8px; font-size: 13px; font-weight: 600; color: var(--soft); }
        .kicker { margin: 0 0 4px; color: var(--soft); font-weight: 600; }
        .explanation { margin: 4px 0 0; max-width: 75ch; color: var(--soft); }
        section { margin-top: 24px; padding: 24px; background: var(--card); border: 1px solid var(--rule); border-radius: 14px; }
        section > .explanation { margin-bottom: 4px; }
        section > h2 ~ div, section > h2 ~ figure, section > ul { margin-top: 18px; }

        .headline { display: flex; flex-wrap: wrap; gap: 12px; padding: 0; background: none; border: 0; }
        .card { flex: 1 1 128px; display: flex; flex-direction: column; padding: 18px 16px; background: var(--card); border: 1px solid var(--rule); border-radius: 14px; }
        .card > b { font-size: 26px; line-height: 1.2; letter-spacing: -0.02em; white-space: nowrap; }
        .card > span { font-weight: 600; }
        .card small { margin-top: 6px; color: var(--soft); }
        .hero { flex: 2 1 250px; color: #fff; border: 0; background: linear-gradient(135deg, var(--hero), #0f8f8a); }
        .hero > b { font-size: 46px; }
        .hero small { color: #ffffffd0; }

        figure { margin: 0; }
        svg { display: block; width: 100%; height: auto; }
        svg text { font-size: 12px; fill: var(--soft); }
        svg .name { fill: var(--text); }
        .end { text-anchor: end; } .middle { text-anchor: middle; }
        .grid { stroke: var(--rule); }
        .mark { fill: none; stroke: var(--soft); stroke-dasharray: 4 4; }
        .line { fill: none; stroke: var(--color, var(--accent)); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
        .dot { fill: var(--color, var(--accent)); }

        table { width: 100%; border-collapse: collapse; }
        th, td { padding: 6px 10px 6px 0; text-align: left; border-bottom: 1px solid var(--rule); }
        th { color: var(--soft); font-size: 13px; font-weight: 600; }
        tr:last-child td { border-bottom: 0; }
        .number { text-align: right; white-space: nowrap; }
        .scroll { overflow-x: auto; }

        .bar { position: relative; display: flex; justify-content: space-between; gap: 8px; padding: 1px 8px; margin-bottom: 3px; font-size: 13px; border-radius: 5px; overflow: hidden; background: var(--ground); }
        .bar span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; z-index: 1; } .bar b { z-index: 1; font-weight: 600; white-space: nowrap; }
        .bar i { position: absolute; inset: 0 auto 0 0; opacity: 0.28; background: var(--color, var(--accent)); }

        @media (max-width: 900px) { .hero { flex-basis: 100%; } }
        @media print { body { background: none; } section { break-inside: avoid; } }
        """;
}
