using System.Net;
using System.Text;

namespace ImageClassification.Report;

/// <summary>Writes the report: one page that needs nothing but itself.</summary>
internal static class ReportPage
{
    private const int MostMistakes = 24;
    private const int MostConfusedPairs = 8;
    private const int MostClasses = 40;
    private const int MostUnreadable = 20;

    public static void Write(ReportData data, string path)
    {
        var html = $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{Encode(data.DataName)}: image classification report</title>
            <style>{Style()}</style>
            </head>
            <body>
            <header><p class="kicker">Image classification with a Vision Transformer</p><h1>{Encode(data.DataName)}</h1></header>
            {Headline(data)}
            {Section("Learning curve", "The loss that training lowers, and how the pictures kept aside for validation did. The dashed line marks the epoch whose weights were kept.", Curves(data.Curve))}
            {Section("Where it goes wrong", "Rows are true classes, columns predictions; the stronger the colour, the larger the share of the row.", Confusions(data.Evaluation))}
            {Mistakes(data.Evaluation)}
            {Section("What it looks at", "How much the class token attends to each patch in the last layer, averaged over the heads. These pictures were classified one at a time by the model loaded back from its file.", Looks(data))}
            {Section(data.Evaluation.Labels.Count > MostClasses ? $"The {MostClasses} hardest classes of {data.Evaluation.Labels.Count}" : "Class by class", "", Classes(data.Evaluation))}
            {Unreadable(data.Evaluation)}
            {Section("How it was made", "", $"<div class='columns'>{Pairs("Settings", data.Settings)}{Pairs("Time", data.Times.Select(step => (step.Step, Duration(step.Time))))}</div>")}
            </body>
            </html>
            """;
        var unfinished = path + ".tmp";
        File.WriteAllText(unfinished, html);
        File.Move(unfinished, path, overwrite: true);
    }

    private static string Headline(ReportData data)
    {
        var (evaluation, metrics) = (data.Evaluation, data.Evaluation.Metrics);
        var right = evaluation.Pictures.Count(picture => picture.IsRight);
        var (low, high) = Wilson(right, evaluation.Pictures.Count);
        return $"""
            <section class="headline">
            <div class="card hero"><b>{Percent(metrics.MicroAccuracy)}</b><span>test accuracy</span><small>{right:N0} of {evaluation.Pictures.Count:N0} held-out pictures; 95 % interval {Percent(low)} to {Percent(high)}</small></div>
            <div class="card"><b>{Percent(metrics.MacroAccuracy)}</b><span>mean over classes</span><small>each class counts the same</small></div>
            <div class="card"><b>{metrics.LogLoss:0.000}</b><span>log loss</span><small>0 is perfect, {Math.Log(evaluation.Labels.Count):0.00} is guessing</small></div>
            <div class="card"><b>{evaluation.Labels.Count:N0}</b><span>classes</span><small>{evaluation.Pictures.Count - right:N0} mistakes in all</small></div>
            <div class="card"><b>{Duration(data.Times.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Time))}</b><span>from data to report</span><small>{data.Curve.TrainingLoss.Count} epochs of training</small></div>
            </section>
            """;
    }

    private static string Curves(LearningCurve curve) =>
        "<div class='columns'>"
        + LineChart.Draw("Loss", [new("training", "training", curve.TrainingLoss), new("validation", "validation", curve.ValidationLoss)], curve.BestEpoch, value => $"{value:0.###}")
        + LineChart.Draw("Validation accuracy", [new("validation", "accuracy", curve.ValidationAccuracy)], curve.BestEpoch, value => $"{value * 100:0.#} %", largest: 1)
        + "</div>";

    private static string Confusions(Evaluation evaluation)
    {
        var pairs = evaluation.Pictures.Where(picture => !picture.IsRight)
            .GroupBy(picture => (picture.TrueClass, picture.PredictedClass))
            .OrderByDescending(pair => pair.Count())
            .Take(MostConfusedPairs)
            .Select(pair => $"<tr><td>{Label(evaluation, pair.Key.TrueClass)}</td><td>{Label(evaluation, pair.Key.PredictedClass)}</td><td class='number'>{pair.Count()}</td></tr>");
        var table = string.Concat(pairs);
        if (table.Length > 0)
            table = $"<div><h3>Most often confused</h3><table><tr><th>true</th><th>predicted</th><th class='number'>pictures</th></tr>{table}</table></div>";
        return $"<div class='confusion'>{ConfusionChart.Draw(evaluation.Metrics.ConfusionMatrix, evaluation.Labels)}{table}</div>";
    }

    private static string Mistakes(Evaluation evaluation)
    {
        var mistakes = evaluation.Pictures.Where(picture => !picture.IsRight).OrderByDescending(picture => picture.Confidence).ToList();
        if (mistakes.Count == 0)
            return Section("The least certain answers", "There is no mistake to show. These were right, but only just.",
                Grid(evaluation.Pictures.OrderBy(picture => picture.Confidence).Take(MostMistakes / 2).Select(picture => Card(evaluation, picture))));
        var explanation = mistakes.Count > MostMistakes ? $"The {MostMistakes} of {mistakes.Count:N0} that it was most certain of." : "The most certain ones first.";
        return Section("The worst mistakes", explanation, Grid(mistakes.Take(MostMistakes).Select(picture => Card(evaluation, picture))));
    }

    private static string Card(Evaluation evaluation, ScoredPicture picture)
    {
        var bars = Bar(Label(evaluation, picture.PredictedClass), picture.Confidence, picture.IsRight ? "right" : "wrong");
        if (!picture.IsRight)
            bars += Bar(Label(evaluation, picture.TrueClass), picture.Score[picture.TrueClass], "right");
        return $"<article title='{Encode(picture.ImagePath)}'><div class='frame'>{Picture.Image(picture.ImagePath)}</div>{bars}</article>";
    }

    private static string Looks(ReportData data) => Grid(data.Looks.Select(look =>
    {
        var labels = data.Evaluation.Labels;
        var image = Picture.Image(look.Picture.ImagePath);
        var bars = look.Output.Score.Index().OrderByDescending(score => score.Item).Take(Math.Min(3, labels.Count))
            .Select(score => Bar(Encode(labels[score.Index]), score.Item, score.Index == look.Picture.TrueClass ? "right" : "wrong"));
        return $"<article class='wide' title='{Encode(look.Picture.ImagePath)}'><div class='pair'><div class='frame'>{image}</div><div class='frame'>{Picture.Overlay(look.Picture.ImagePath, look.Output.Attention, data.Preprocessing)}</div></div>{string.Concat(bars)}</article>";
    }));

    private static string Classes(Evaluation evaluation)
    {
        var matrix = evaluation.Metrics.ConfusionMatrix;
        var rows = evaluation.Labels
            .Select((label, i) => (Label: label, Precision: matrix.PerClassPrecision[i], Recall: matrix.PerClassRecall[i], Count: matrix.Counts[i].Sum()))
            .Where(row => row.Count > 0);
        if (evaluation.Labels.Count > MostClasses)
            rows = rows.OrderBy(row => F1(row.Precision, row.Recall)).Take(MostClasses);
        var table = string.Concat(rows.Select(row => $"""
            <tr><td>{Encode(row.Label)}</td><td class='number'>{row.Count:N0}</td><td class='number'>{Percent(row.Precision)}</td><td class='number'>{Percent(row.Recall)}</td><td class='number'>{Percent(F1(row.Precision, row.Recall))}</td><td class='meter'><i style='width:{F1(row.Precision, row.Recall) * 100:0.#}%'></i></td></tr>
            """));
        return $"<div class='scroll'><table class='classes'><tr><th>class</th><th class='number'>test pictures</th><th class='number'>precision</th><th class='number'>recall</th><th class='number'>F1</th><th></th></tr>{table}</table></div>";
    }

    private static string Unreadable(Evaluation evaluation) => evaluation.Unreadable.Count == 0
        ? ""
        : Section("Pictures that could not be read", "These held-out files are damaged or no pictures. They count neither as right nor as wrong; such files among the training pictures were left out.",
            $"<ul>{string.Concat(evaluation.Unreadable.Take(MostUnreadable).Select(path => $"<li><code>{Encode(path)}</code></li>"))}{(evaluation.Unreadable.Count > MostUnreadable ? $"<li>and {evaluation.Unreadable.Count - MostUnreadable:N0} more</li>" : "")}</ul>");

    private static string Section(string title, string explanation, string content) =>
        $"<section><h2>{Encode(title)}</h2>{(explanation.Length > 0 ? $"<p class='explanation'>{Encode(explanation)}</p>" : "")}{content}</section>";

    private static string Grid(IEnumerable<string> cards) => $"<div class='cards'>{string.Concat(cards)}</div>";

    private static string Bar(string label, double share, string style) =>
        $"<div class='bar {style}'><span>{label}</span><b>{Percent(share)}</b><i style='width:{share * 100:0.#}%'></i></div>";

    private static string Pairs(string title, IEnumerable<(string Name, string Value)> pairs) =>
        $"<div><h3>{title}</h3><table>{string.Concat(pairs.Select(pair => $"<tr><td>{Encode(pair.Name)}</td><td class='number'>{Encode(pair.Value)}</td></tr>"))}</table></div>";

    /// <summary>Wilson's 95 % interval of a share.</summary>
    private static (double Low, double High) Wilson(int right, int count)
    {
        const double z = 1.96;
        var share = (double)right / count;
        var centre = share + z * z / (2 * count);
        var spread = z * Math.Sqrt(share * (1 - share) / count + z * z / (4.0 * count * count));
        return ((centre - spread) / (1 + z * z / count), (centre + spread) / (1 + z * z / count));
    }

    private static double F1(double precision, double recall) =>
        precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;

    private static string Duration(TimeSpan time) =>
        time.TotalMinutes >= 1 ? $"{(int)time.TotalMinutes} min {time.Seconds} s" : $"{time.TotalSeconds:0.0} s";

    private static string Percent(double share) => $"{share * 100:0.0} %";

    private static string Label(Evaluation evaluation, int index) => Encode(evaluation.Labels[index]);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Style()
    {
        using var reader = new StreamReader(typeof(ReportPage).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    }
}
