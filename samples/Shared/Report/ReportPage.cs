using Microsoft.ML.VisionModels;
using static Microsoft.ML.VisionModels.Reports.Html;

namespace Samples.Report;

/// <summary>Writes the report: one page that needs nothing but itself.</summary>
internal static class ReportPage
{
    private const int MostMistakes = 24;
    private const int MostConfusedPairs = 8;
    private const int MostClasses = 40;
    private const int MostUnreadable = 20;

    public static void Write(ReportData data, string path)
    {
        var html = Page(data.Kicker, data.DataName, Style(), $"""
            {Overview(data)}
            {Section("Learning curve", "The loss that training lowers, and how the images kept aside for validation did. The dashed line marks the epoch whose weights were kept.", Curves(data.Curve))}
            {Section("Where it goes wrong", "Rows are true classes, columns predictions; the stronger the color, the larger the share of the row.", Confusions(data.Evaluation))}
            {Calibration(data.Evaluation.Metrics)}
            {Mistakes(data.Evaluation)}
            {Section("What it looks at", "Where the answer comes from: the brighter a place, the more of it is in what the classifier's head reads. These images were classified one at a time by the model loaded back from its file.", Looks(data))}
            {Section(data.Evaluation.Labels.Count > MostClasses ? $"The {MostClasses} hardest classes of {data.Evaluation.Labels.Count}" : "Class by class", "", Classes(data.Evaluation.Metrics))}
            {Unreadable(data.Evaluation)}
            {Section("How it was made", "", $"<div class='columns'>{Pairs("Settings", data.Settings)}{Pairs("Time", data.Times.Select(step => (step.Step, Duration(step.Time))))}</div>")}
            """);
        var unfinished = path + ".tmp";
        File.WriteAllText(unfinished, html);
        File.Move(unfinished, path, overwrite: true);
    }

    private static string Overview(ReportData data)
    {
        var (metrics, classes) = (data.Evaluation.Metrics, data.Evaluation.Labels.Count);
        var right = data.Evaluation.Images.Count(image => image.IsRight);
        var (low, high) = Wilson(right, metrics.Count);
        return Headline(
            Card(Percent(metrics.Top1Accuracy), "test accuracy", $"{right:N0} of {metrics.Count:N0} held-out images; 95 % interval {Percent(low)} to {Percent(high)}{LeftOut(metrics.LeftOut)}", "hero"),
            classes > 5 ? Card(Percent(metrics.Top5Accuracy), "top-5 accuracy", "the true class is among the five likeliest") : "",
            Card(Percent(metrics.MacroAccuracy), "mean over classes", $"each of {classes:N0} counts the same"),
            Card($"{metrics.LogLoss:0.000}", "log loss", $"0 is perfect, {Math.Log(classes):0.00} is guessing"),
            Card(Percent(metrics.ExpectedCalibrationError), "calibration error", "how far confidence is from accuracy"),
            Card(Duration(data.Times.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Time)), "from data to report", $"{data.Curve.TrainingLoss.Count} epochs of training"));
    }

    private static string LeftOut(LeftOutRows rows) =>
        (rows.NoPrediction > 0 ? $"; {rows.NoPrediction:N0} more could not be read" : "")
        + (rows.NoLabel + rows.UnknownLabel is > 0 and var unknown ? $"; {unknown:N0} more are of classes that training did not have" : "");

    private static string Curves(LearningCurve curve) =>
        "<div class='columns'>"
        + LearningChart.Draw("Loss", [new("training", "training", curve.TrainingLoss), new("validation", "validation", curve.ValidationLoss)], curve.BestEpoch, value => $"{value:0.###}")
        + LearningChart.Draw("Validation accuracy", [new("validation", "accuracy", curve.ValidationAccuracy)], curve.BestEpoch, value => $"{value * 100:0.#} %", largest: 1)
        + "</div>";

    private static string Confusions(Evaluation evaluation)
    {
        var matrix = evaluation.Metrics.ConfusionMatrix;
        var pairs = matrix.Cells.Where(cell => cell.TrueClass != cell.PredictedClass)
            .OrderByDescending(cell => cell.Count)
            .Take(MostConfusedPairs)
            .Select(cell => $"<tr><td>{Label(evaluation, cell.TrueClass)}</td><td>{Label(evaluation, cell.PredictedClass)}</td><td class='number'>{cell.Count:N0}</td></tr>");
        var table = string.Concat(pairs);
        if (table.Length > 0)
            table = $"<div><h3>Most often confused</h3><table><tr><th>true</th><th>predicted</th><th class='number'>images</th></tr>{table}</table></div>";
        return $"<div class='confusion'>{ConfusionChart.Draw(matrix)}{table}</div>";
    }

    private static string Calibration(ImageClassificationMetrics metrics)
    {
        if (metrics.Reliability.Count == 0)
            return "";
        var (confidence, accuracy) = (metrics.Reliability.Where(bin => bin.Count > 0).Sum(bin => bin.Count * bin.Confidence) / metrics.Count, metrics.Top1Accuracy);
        var verdict = Math.Abs(confidence - accuracy) < 0.02 ? "about as often right as it says" : confidence > accuracy ? "less often right than it says" : "more often right than it says";
        var explanation = "Of answers given with 80 % confidence, 80 % should be right, as on the dashed line. Green is the share that is; red what is missing to it, blue what is beyond. The bars below count the answers.";
        return Section("Can its confidence be trusted?", explanation, $"""
            <div class="confusion">{ReliabilityChart.Draw(metrics.Reliability)}{Pairs("On average", [
                ("expected calibration error, 15 bins", Percent(metrics.ExpectedCalibrationError)), ("mean confidence", Percent(confidence)), ("accuracy", Percent(accuracy)), ("so it is", verdict)])}</div>
            """);
    }

    private static string Mistakes(Evaluation evaluation)
    {
        var mistakes = evaluation.Images.Where(image => !image.IsRight).OrderByDescending(image => image.Confidence).ToList();
        if (mistakes.Count == 0)
            return Section("The least certain answers", "There is no mistake to show. These were right, but only just.",
                Grid(evaluation.Images.OrderBy(image => image.Confidence).Take(MostMistakes / 2).Select(image => ImageCard(evaluation, image))));
        var explanation = mistakes.Count > MostMistakes ? $"The {MostMistakes} of {mistakes.Count:N0} that it was most certain of." : "The most certain ones first.";
        return Section("The worst mistakes", explanation, Grid(mistakes.Take(MostMistakes).Select(image => ImageCard(evaluation, image))));
    }

    private static string ImageCard(Evaluation evaluation, ScoredImage image)
    {
        var bars = Bar(evaluation.Labels[image.PredictedClass], image.Confidence, image.IsRight ? "right" : "wrong");
        if (!image.IsRight)
            bars += Bar(evaluation.Labels[image.TrueClass], image.Score[image.TrueClass], "right");
        return $"<article title='{Encode(image.ImagePath)}'><div class='frame'>{InlineImage.Element(image.ImagePath)}</div>{bars}</article>";
    }

    private static string Looks(ReportData data) => Grid(data.Looks.Select(look =>
    {
        var labels = data.Evaluation.Labels;
        var image = InlineImage.Element(look.Image.ImagePath);
        var bars = look.Output.Score.Index().OrderByDescending(score => score.Item).Take(Math.Min(3, labels.Count))
            .Select(score => Bar(labels[score.Index], score.Item, score.Index == look.Image.TrueClass ? "right" : "wrong"));
        return $"<article class='wide' title='{Encode(look.Image.ImagePath)}'><div class='pair'><div class='frame'>{image}</div><div class='frame'>{InlineImage.Overlay(look.Image.ImagePath, look.Output.Attention, data.Preprocessing)}</div></div>{string.Concat(bars)}</article>";
    }));

    private static string Classes(ImageClassificationMetrics metrics)
    {
        var classes = metrics.Classes.Where(each => each.Count > 0);
        if (metrics.Classes.Count > MostClasses)
            classes = classes.OrderBy(each => each.F1).Take(MostClasses);
        var rows = string.Concat(classes.Select(each => $"""
            <tr><td>{Encode(each.Label)}</td><td class='number'>{each.Count:N0}</td><td class='number'>{Percent(each.Precision)}</td><td class='number'>{Percent(each.Recall)}</td><td class='number'>{Percent(each.F1)}</td><td class='meter'><i style='width:{each.F1 * 100:0.#}%'></i></td></tr>
            """));
        return $"<div class='scroll'><table class='classes'><tr><th>class</th><th class='number'>test images</th><th class='number'>precision</th><th class='number'>recall</th><th class='number'>F1</th><th></th></tr>{rows}</table></div>";
    }

    private static string Unreadable(Evaluation evaluation) => evaluation.Unreadable.Count == 0
        ? ""
        : Section("Images that could not be read", "These held-out files are damaged or no images. They count neither as right nor as wrong; such files among the training images were left out.",
            $"<ul>{string.Concat(evaluation.Unreadable.Take(MostUnreadable).Select(path => $"<li><code>{Encode(path)}</code></li>"))}{(evaluation.Unreadable.Count > MostUnreadable ? $"<li>and {evaluation.Unreadable.Count - MostUnreadable:N0} more</li>" : "")}</ul>");

    /// <summary>Wilson's 95 % interval of a share.</summary>
    private static (double Low, double High) Wilson(long right, long count)
    {
        const double z = 1.96;
        var share = (double)right / count;
        var center = share + z * z / (2 * count);
        var spread = z * Math.Sqrt(share * (1 - share) / count + z * z / (4.0 * count * count));
        return ((center - spread) / (1 + z * z / count), (center + spread) / (1 + z * z / count));
    }

    private static string Grid(IEnumerable<string> cards) => $"<div class='cards'>{string.Concat(cards)}</div>";

    private static string Label(Evaluation evaluation, int index) => Encode(evaluation.Labels[index]);

    private static string Style()
    {
        using var reader = new StreamReader(typeof(ReportPage).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    }
}
