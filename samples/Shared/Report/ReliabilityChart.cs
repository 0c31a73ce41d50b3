using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.Reports;

namespace Samples.Report;

/// <summary>
/// A reliability diagram: for each bin of confidence the share of answers that was right, against the diagonal of a calibrated
/// model, with what is missing to the bin's confidence or beyond it; below, how many answers each bin has.
/// </summary>
internal static class ReliabilityChart
{
    public static string Draw(IReadOnlyList<ReliabilityBin> bins)
    {
        var most = Math.Max(1, bins.Max(bin => bin.Count));
        var confidence = Axis.Of("confidence", [0, 1], text: share => $"{share * 100:0} %");
        var rates = new Plot(confidence, confidence with { Name = "share that is right" }, width: 380, height: 360);
        var counts = new Plot(confidence with { Name = "how many answers", Ticks = [] }, new("answers", 0, most, [(most, $"{most:N0}")]), width: 380, height: 110);
        foreach (var bin in bins.Where(bin => bin.Count > 0))
        {
            var (low, high, side) = bin.Accuracy < bin.Confidence ? (bin.Accuracy, bin.Confidence, "over") : (bin.Confidence, bin.Accuracy, "under");
            var title = $"{bin.Count:N0} answers given with {bin.Confidence * 100:0.0} %, of which {bin.Accuracy * 100:0.0} % are right";
            rates.Bar(bin.Low, bin.High, 0, low, "right", title);
            rates.Bar(bin.Low, bin.High, low, high, side, title);
            counts.Bar(bin.Low, bin.High, 0, bin.Count, "answers", title);
        }
        rates.Line([(0, 0), (1, 1)], "mark", "as often right as it says");
        return $"<figure class='reliability'>{rates}{counts}</figure>";
    }
}
