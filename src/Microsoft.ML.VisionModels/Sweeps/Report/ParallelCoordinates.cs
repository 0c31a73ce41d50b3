using Microsoft.ML.VisionModels.Reports;
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
        Axis[] axes = [.. dimensions.Select(DimensionAxis.Of), score];
        var width = 2 * Side + Gap * (axes.Length - 1);
        var svg = new Svg(width, Height, "parallel coordinates", css: $"min-width:{width}px");
        for (var t = 0; t < trials.Count; t++)
        {
            var (trial, shown) = trials[t];
            var places = dimensions.Select(dimension => dimension.PlaceOf(trial.Parameters[dimension.Name])).Append(shown);
            // From gray to the accent color by rank.
            var rank = trials.Count == 1 ? 1 : (double)t / (trials.Count - 1);
            svg.Polyline(places.Select((place, i) => (X(i), Y(axes[i], place))), "trial", StudyPage.Describe(trial), FormattableString.Invariant($"--rank:{rank:0.##}"));
        }
        for (var i = 0; i < axes.Length; i++)
        {
            svg.Line(X(i), Top, X(i), Height - Bottom, "axis");
            svg.Text(X(i), 16, axes[i].Name, "middle name");
            foreach (var (place, text) in axes[i].Ticks)
                svg.Text(X(i) - 5, Y(axes[i], place) + 4, text, "end halo");
        }
        return svg.ToString();

        static double X(int axis) => Side + Gap * axis;

        static double Y(Axis axis, double place) => Height - Bottom - axis.Share(place) * (Height - Top - Bottom);
    }
}
