using System.Net;
using System.Text;
using Microsoft.ML.VisionModels;

namespace Samples.Report;

/// <summary>A confusion matrix as a heat map: rows are true classes, columns predictions, the shade is the share of the row.</summary>
internal static class ConfusionChart
{
    private const int MostNamedClasses = 40;
    private const int LongestName = 16;

    public static string Draw(ConfusionCounts matrix)
    {
        var labels = matrix.Labels;
        var classes = labels.Count;
        var named = classes <= MostNamedClasses;
        var cell = named ? Math.Clamp(560.0 / classes, 22, 44) : 640.0 / classes;
        var gap = named ? 2 : 0;
        var names = labels.Select(Short).ToList();
        var margin = named ? 24 + 7.2 * names.Max(name => name.Length) : 24;
        var upright = names.Max(name => name.Length) * 8 <= cell;
        var top = named && !upright ? margin : 42;
        var size = classes * cell;

        var svg = new StringBuilder($"<svg class='matrix' style='max-width:{size + margin + 10:0}px' viewBox='0 0 {size + margin + 4:0.#} {size + top + 4:0.#}' role='img' aria-label='Confusion matrix'>");
        svg.Append($"<text class='tick middle' x='{margin + size / 2:0.#}' y='12'>predicted</text>");
        svg.Append($"<text class='tick middle' transform='translate(12 {top + size / 2:0.#}) rotate(-90)'>true</text>");
        svg.Append($"<rect class='ground' x='{margin:0.#}' y='{top:0.#}' width='{size:0.#}' height='{size:0.#}' rx='4'/>");
        for (var i = 0; named && i < classes; i++)
        {
            var (x, y) = (margin + i * cell, top + i * cell);
            svg.Append($"<text class='tick end' x='{margin - 6:0.#}' y='{y + cell / 2 + 4:0.#}'>{Encode(names[i])}</text>");
            svg.Append(upright
                ? $"<text class='tick middle' x='{x + cell / 2:0.#}' y='{top - 8:0.#}'>{Encode(names[i])}</text>"
                : $"<text class='tick' transform='translate({x + cell / 2 + 4:0.#} {top - 6:0.#}) rotate(-90)'>{Encode(names[i])}</text>");
        }

        var totals = matrix.Cells.GroupBy(cell => cell.TrueClass).ToDictionary(row => row.Key, row => row.Sum(cell => cell.Count));
        foreach (var (row, column, count) in matrix.Cells)
        {
            var share = (double)count / totals[row];
            var (left, y) = (margin + column * cell, top + row * cell);
            var opacity = 0.1 + 0.9 * (row == column ? share : Math.Sqrt(share));
            svg.Append($"<rect class='{(row == column ? "right" : "wrong")}' x='{left + gap / 2.0:0.##}' y='{y + gap / 2.0:0.##}' width='{Math.Max(cell - gap, 1):0.##}' height='{Math.Max(cell - gap, 1):0.##}' rx='{gap}' fill-opacity='{opacity:0.##}'><title>{Encode(labels[row])} seen as {Encode(labels[column])}: {count:0} of {totals[row]:0}</title></rect>");
            if (named)
                svg.Append($"<text class='count{(opacity > 0.55 ? " strong" : "")}' x='{left + cell / 2:0.#}' y='{y + cell / 2 + 4:0.#}'>{count:0}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Short(string name) =>
        name.Length <= LongestName ? name : name[..(LongestName - 1)] + "…";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
