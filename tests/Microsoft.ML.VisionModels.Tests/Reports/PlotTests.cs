using System.Globalization;
using Microsoft.ML.VisionModels.Reports;

namespace Microsoft.ML.VisionModels.Tests.Reports;

public class PlotTests
{
    [Theory]
    [InlineData(new[] { 0.31, 0.97 }, 0.2, 1.0, 5)]
    [InlineData(new[] { 0.99, 1.0 }, 0.99, 1.0, 6)]
    [InlineData(new[] { 1.0, 1.0 }, 0.9, 1.0, 6)]
    [InlineData(new[] { 0.5 }, 0.5, 0.55, 6)]
    [InlineData(new[] { 0.0 }, 0.0, 1.0, 6)]
    public void AnAxisHoldsItsValuesAndNoShareAboveOne(double[] shares, double low, double high, int ticks)
    {
        var axis = Axis.Of("share", shares, to: 1);
        Assert.Equal((low, high, ticks), (Math.Round(axis.Low, 9), Math.Round(axis.High, 9), axis.Ticks.Count));
        Assert.All(shares, share => Assert.InRange(axis.Share(share), 0, 1));
        Assert.All(axis.Ticks, tick => Assert.InRange(axis.Share(tick.Place), -1e-9, 1 + 1e-9));
    }

    [Theory]
    [InlineData(0, 1, new[] { "0", "1" })]
    [InlineData(1, 1, new[] { "0", "1" })]
    [InlineData(4, 4, new[] { "0", "1", "2", "3", "4" })]
    [InlineData(16, 16, new[] { "0", "5", "10", "15" })]
    [InlineData(300, 300, new[] { "0", "100", "200", "300" })]
    public void AnAxisOfCountsEndsAtTheLast(int most, int high, string[] ticks)
    {
        var axis = Axis.OfCounts("epoch", most);
        Assert.Equal((0, high), (axis.Low, axis.High));
        Assert.Equal(ticks, axis.Ticks.Select(tick => tick.Text));
    }

    [Fact]
    public void ItsNumbersAreTheSameInEveryCultureAndItsTextsAreNoTags()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            var here = Draw();
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            Assert.Equal(here, Draw());
            Assert.DoesNotContain("<b>", here);
            Assert.Contains("&lt;b&gt;", here);
            Assert.Equal("<div class='bar '><span>&lt;b&gt;</span><b>12.3 %</b><i style='width:12.3%'></i></div>", Html.Bar("<b>", 0.1234));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        static string Draw()
        {
            var plot = new Plot(Axis.Of("<b>", [0.1, 0.35]), Axis.Of("y", [1.5, 2.25]));
            plot.Line([(0.1, 1.5), (0.35, 2.25)], "line", "<b>");
            plot.Point(0.2, 1.7, "dot", "<b>");
            plot.Bar(0.1, 0.2, 1.5, 2, "right", "<b>");
            plot.Mark(0.3, "<b>");
            return plot.ToString();
        }
    }
}
