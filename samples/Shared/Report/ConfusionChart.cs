using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Reports;

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
        var upright = names.Max(name => name.Length) * 8 > cell;
        var top = named && upright ? margin : 42;
        var size = classes * cell;

        var svg = new Svg(size + margin + 4, size + top + 4, "Confusion matrix", "matrix", $"max-width:{size + margin + 10:0}px");
        svg.Text(margin + size / 2, 12, "predicted", "middle");
        svg.UprightText(12, top + size / 2, "true", "middle");
        svg.Rectangle(margin, top, size, size, "ground", radius: 4);
        for (var i = 0; named && i < classes; i++)
        {
            var (x, y) = (margin + i * cell, top + i * cell);
            svg.Text(margin - 6, y + cell / 2 + 4, names[i], "end");
            if (upright)
                svg.UprightText(x + cell / 2 + 4, top - 6, names[i], "");
            else
                svg.Text(x + cell / 2, top - 8, names[i], "middle");
        }

        var totals = matrix.Cells.GroupBy(cell => cell.TrueClass).ToDictionary(row => row.Key, row => row.Sum(cell => cell.Count));
        var side = Math.Max(cell - gap, 1);
        foreach (var (row, column, count) in matrix.Cells)
        {
            var share = (double)count / totals[row];
            var (x, y) = (margin + column * cell, top + row * cell);
            var opacity = 0.1 + 0.9 * (row == column ? share : Math.Sqrt(share));
            var title = $"{labels[row]} seen as {labels[column]}: {count:0} of {totals[row]:0}";
            svg.Rectangle(x + gap / 2.0, y + gap / 2.0, side, side, row == column ? "right" : "wrong", title, gap, opacity);
            if (named)
                svg.Text(x + cell / 2, y + cell / 2 + 4, $"{count:0}", opacity > 0.55 ? "count strong" : "count");
        }
        return svg.ToString();
    }

    private static string Short(string name) => name.Length <= LongestName ? name : name[..(LongestName - 1)] + "…";
}
