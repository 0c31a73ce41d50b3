using System.Net;
using System.Text;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Sweeps.Report;

/// <summary>A line for each trial through an upright axis for each hyper-parameter, the score being the last; as inline SVG.</summary>
internal static class ParallelCoordinates
{
    private const int Height = 320, Top = 34, Bottom = 24, Side = 60, Gap = 130;

    /// <param name="dimensions">The hyper-parameters.</param>
    /// <param name="score">The axis of the scores.</param>
    /// <param name="trials">Trials and their places on it, the best last, which is drawn on top.</param>
    public static string Draw(IReadOnlyList<Dimension> dimensions, Axis score, IReadOnlyList<(SweepTrial Trial, double Score)> trials)
    {
        Axis[] axes = [.. dimensions.Select(Axis.Of), score];
        var svg = new StringBuilder($"<svg class='wide' style='min-width:{2 * Side + Gap * (axes.Length - 1)}px' viewBox='0 0 {2 * Side + Gap * (axes.Length - 1)} {Height}' role='img' aria-label='parallel coordinates'>");
        for (var t = 0; t < trials.Count; t++)
        {
            var (trial, shown) = trials[t];
            var places = dimensions.Select(dimension => dimension.PlaceOf(trial.Parameters[dimension.Name])).Append(shown);
            var points = string.Join(' ', places.Select((place, i) => FormattableString.Invariant($"{Side + Gap * i},{Y(axes[i], place):0.#}")));
            // From gray to the accent color by rank.
            Add($"<polyline class='trial' style='--rank:{(trials.Count == 1 ? 1 : (double)t / (trials.Count - 1)):0.##}' points='{points}'><title>{WebUtility.HtmlEncode(StudyPage.Describe(trial))}</title></polyline>");
        }
        for (var i = 0; i < axes.Length; i++)
        {
            var x = Side + Gap * i;
            Add($"<line class='axis' x1='{x}' x2='{x}' y1='{Top}' y2='{Height - Bottom}'/><text class='middle name' x='{x}' y='16'>{WebUtility.HtmlEncode(axes[i].Name)}</text>");
            foreach (var (place, text) in axes[i].Ticks)
                Add($"<text class='end halo' x='{x - 5}' y='{Y(axes[i], place) + 4:0.#}'>{WebUtility.HtmlEncode(text)}</text>");
        }
        return svg.Append("</svg>").ToString();

        double Y(Axis axis, double place) => Height - Bottom - axis.Share(place) * (Height - Top - Bottom);

        void Add(FormattableString text) => svg.Append(FormattableString.Invariant(text));
    }
}
