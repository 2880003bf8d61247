/// The look of the report page: one column of readable width, system fonts, light and dark.
enum PageStyle {
    static let css = """
        :root{color-scheme:light dark;--ink:#1f2328;--muted:#57606a;--line:#d9dee4;--ground:#f5f6f8;--paper:#fff;
        --soft:#f0f2f5;--accent:#0062a3;--good:#0b6b45;--bad:#b3261e;--warm:#8a5a00;--shadow:0 1px 2px #1f232814}
        @media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--muted:#9aa4af;--line:#2f363f;--ground:#0c0f13;
        --paper:#14181d;--soft:#1c2229;--accent:#6cb6f0;--good:#4fd1a1;--bad:#ff8a80;--warm:#f0c04a;--shadow:none}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-behavior:smooth}
        @media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        body{margin:0 auto;padding:0 1.25rem 3rem;max-width:56rem;background:var(--ground);color:var(--ink);
        font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
        overflow-wrap:break-word}
        header{padding:2.75rem 0 .5rem}
        h1{margin:0;font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.2;letter-spacing:-.02em;text-wrap:balance}
        .summary{margin:.8rem 0 0;max-width:44rem;font-size:1.1rem;color:var(--muted);text-wrap:pretty}
        nav{display:flex;flex-wrap:wrap;gap:.4rem;margin-top:1.3rem}
        nav a{padding:.2rem .75rem;border:1px solid var(--line);border-radius:99rem;background:var(--paper);
        color:var(--ink);font-size:.88rem;text-decoration:none}
        nav a:hover{border-color:var(--accent);color:var(--accent)}
        .cards{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));gap:.75rem;
        margin:1.5rem 0}
        .card{display:flex;flex-direction:column;padding:.85rem 1rem;border:1px solid var(--line);border-radius:.75rem;
        background:var(--paper);box-shadow:var(--shadow)}
        .card .name{font-size:.84rem;line-height:1.35;color:var(--muted)}
        .card .value{margin:.2rem 0 .1rem;font-size:1.75rem;font-weight:650;line-height:1.2;letter-spacing:-.02em;
        font-variant-numeric:tabular-nums}
        .card .detail{margin-top:auto;font-size:.84rem;line-height:1.4;color:var(--muted)}
        .card.good .value{color:var(--good)}
        .card.bad .value{color:var(--bad)}
        section{margin:1.25rem 0;padding:1.4rem 1.5rem .9rem;border:1px solid var(--line);border-radius:.75rem;
        background:var(--paper);box-shadow:var(--shadow);scroll-margin-top:1rem}
        h2{margin:0 0 .7rem;font-size:1.3rem;line-height:1.3;letter-spacing:-.01em}
        h3{margin:1.5rem 0 .5rem;font-size:1.05rem;line-height:1.35}
        p,ul{margin:0 0 .9rem;max-width:46rem}
        ul{padding-left:1.3rem}
        li{margin-bottom:.25rem}
        code{padding:.1em .35em;border-radius:.3rem;background:var(--soft);font-size:.88em}
        code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace}
        .note{padding:.7rem .95rem;border-left:4px solid var(--accent);border-radius:.35rem;background:var(--soft)}
        .note.success{border-color:var(--good)}
        .note.warning{border-color:var(--warm)}
        figure{margin:1rem 0 1.3rem}
        figcaption{margin-top:.5rem;max-width:46rem;font-size:.88rem;line-height:1.5;color:var(--muted)}
        .scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
        table{width:100%;border-collapse:collapse;font-size:.92rem;line-height:1.45}
        th,td{padding:.45rem .8rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
        th{background:var(--soft);font-size:.84rem;font-weight:600;color:var(--muted)}
        tbody tr:last-child td{border-bottom:0}
        tbody tr:hover td{background:var(--soft)}
        .number{text-align:right;font-variant-numeric:tabular-nums}
        .strong td{font-weight:650}
        .strong td:first-child{box-shadow:inset 3px 0 var(--accent)}
        .images{display:flex;flex-wrap:wrap;gap:1rem 1.25rem;margin:1rem 0 1.3rem}
        .images figure{margin:0;max-width:100%}
        .images figcaption{max-width:34rem}
        img{display:block;max-width:100%;height:auto;border-radius:.35rem;background:var(--soft)}
        .pixels{image-rendering:pixelated}
        .charttitle{margin:0 0 .35rem;font-weight:600}
        .plot{display:block;width:100%;height:auto}
        .wide .plot{max-width:50rem}
        .narrow{display:none}
        .code{margin:0 0 1.1rem}
        .codetitle{margin:0 0 .3rem;font-size:.88rem;color:var(--muted)}
        pre{margin:0;padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;
        border:1px solid var(--line);border-radius:.5rem;
        background:var(--soft);font-size:.84rem;line-height:1.55}
        details{margin:0 0 1rem;border:1px solid var(--line);border-radius:.5rem;padding:0 1rem}
        summary{padding:.6rem 0;cursor:pointer;font-weight:600}
        details[open]{padding-bottom:.3rem}
        :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
        footer{margin-top:2rem;padding:0 1.5rem;font-size:.88rem;color:var(--muted)}
        footer h2{font-size:1rem;color:var(--ink)}
        dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.2rem;margin:0}
        dt{font-weight:600}
        dd{margin:0}
        @media (max-width:40rem){
        body{padding:0 .75rem 2rem}
        header{padding:1.5rem .25rem .25rem}
        .summary{font-size:1rem}
        .cards{grid-template-columns:repeat(2,minmax(0,1fr));gap:.5rem}
        .card{padding:.7rem .8rem}
        .card .value{font-size:1.4rem}
        .card:last-child:nth-child(odd){grid-column:1/-1}
        section{padding:1rem .85rem .5rem}
        .wide{display:none}
        .narrow{display:block}
        table{font-size:.85rem}
        th,td{padding:.35rem .5rem;white-space:normal}
        th:first-child,td:first-child{overflow-wrap:anywhere}
        .stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
        .stack tr{display:block;padding:.5rem .6rem;border-bottom:1px solid var(--line)}
        .stack tbody tr:last-child{border-bottom:0}
        .stack td{display:flex;justify-content:space-between;gap:1rem;padding:.1rem 0;border:0}
        .stack td::before{content:attr(data-label);color:var(--muted)}
        .stack td:first-child{font-weight:650}
        .stack td:first-child::before{content:none}
        footer{padding:0 .25rem}
        dl{grid-template-columns:minmax(0,1fr);gap:0}
        dd{margin-bottom:.6rem}
        }
        @media print{
        :root{color-scheme:light;--ink:#000;--muted:#444;--line:#ccc;--ground:#fff;--paper:#fff;--soft:#f4f4f4;
        --accent:#0062a3;--good:#0b6b45;--bad:#b3261e;--warm:#8a5a00;--shadow:none}
        body{max-width:none;padding:0}
        nav{display:none}
        section{border:0;padding:0}
        .scroll{overflow:visible}
        figure,.card,tr{break-inside:avoid}
        h2,h3{break-after:avoid}
        .wide{display:block}
        .narrow{display:none}
        }

        """
}
