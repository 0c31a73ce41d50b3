using System.Text;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Sweeps.Report;

namespace Samples.Report;

/// <summary>
/// A reliability diagram: for each bin of confidence the share of answers that was right, against the diagonal of a calibrated
/// model, with what is missing to the bin's confidence or beyond it; below, how many answers each bin has.
/// </summary>
internal static class ReliabilityChart
{
    private const double Width = 380, Plot = 300, Left = 44, Top = 10, Strip = 46, Gap = 22;

    public static string Draw(IReadOnlyList<ReliabilityBin> bins)
    {
        var height = Top + Plot + Gap + Strip + 40;
        var (right, bottom) = (Left + Plot, Top + Plot);
        double X(double share) => Left + share * Plot;
        double Y(double share) => bottom - share * Plot;
        var svg = new StringBuilder($"<svg class='reliability' viewBox='0 0 {Width} {height}' role='img' aria-label='Reliability diagram'>");
        for (var tick = 0; tick <= 5; tick++)
        {
            var share = tick / 5.0;
            svg.Append($"<line class='grid' x1='{Left}' x2='{right}' y1='{Y(share):0.#}' y2='{Y(share):0.#}'/><text class='tick end' x='{Left - 8}' y='{Y(share) + 4:0.#}'>{share * 100:0} %</text>");
            svg.Append($"<text class='tick middle' x='{X(share):0.#}' y='{bottom + Gap + Strip + 16:0.#}'>{share * 100:0} %</text>");
        }

        var most = Math.Max(1, bins.Max(bin => bin.Count));
        foreach (var bin in bins.Where(bin => bin.Count > 0))
        {
            var (x, width) = (X(bin.Low) + 1, (bin.High - bin.Low) * Plot - 2);
            var (low, high, side) = bin.Accuracy < bin.Confidence ? (bin.Accuracy, bin.Confidence, "over") : (bin.Confidence, bin.Accuracy, "under");
            var title = $"<title>{bin.Count:N0} answers given with {bin.Confidence * 100:0.0} %, of which {bin.Accuracy * 100:0.0} % are right</title>";
            svg.Append($"<rect class='right' x='{x:0.##}' y='{Y(low):0.##}' width='{width:0.##}' height='{low * Plot:0.##}'>{title}</rect>");
            svg.Append($"<rect class='{side}' x='{x:0.##}' y='{Y(high):0.##}' width='{width:0.##}' height='{(high - low) * Plot:0.##}'>{title}</rect>");
            var bar = Strip * bin.Count / most;
            svg.Append($"<rect class='answers' x='{x:0.##}' y='{bottom + Gap + Strip - bar:0.##}' width='{width:0.##}' height='{bar:0.##}'>{title}</rect>");
        }

        svg.Append($"<line class='mark' x1='{Left}' y1='{bottom}' x2='{right}' y2='{Top}'/>");
        svg.Append($"<text class='tick end' x='{Left - 8}' y='{bottom + Gap + 10}'>{most:N0}</text>");
        svg.Append($"<text class='tick middle' x='{Left + Plot / 2}' y='{height - 4}'>confidence</text>");
        return svg.Append("</svg>").ToString();
    }
}
