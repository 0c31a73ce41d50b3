using System.Collections;
using System.Reflection;

namespace Microsoft.ML.VisionModels.Tests;

public class GoldenCoverageTests
{
    /// <summary>A case is taken where a golden test's theory data hold its name.</summary>
    [Fact]
    public void EveryCaseIsTaken()
    {
        var taken = GoldenTheories().SelectMany(Rows).OfType<string>().ToHashSet();
        string[] forgotten = [.. GoldenCase.Names().Where(name => !taken.Contains(name))];

        var report = $"No test takes the golden cases {string.Join(", ", forgotten)}.";
        Assert.SkipWhen(forgotten.Length > 0 && TestFolders.HasOtherGolden, report);
        Assert.True(forgotten.Length == 0, report);
    }

    private static IEnumerable<MethodInfo> GoldenTheories() =>
        typeof(GoldenCoverageTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public))
            .Where(method => IsGolden(method) || IsGolden(method.DeclaringType!));

    private static bool IsGolden(MemberInfo member) =>
        member.GetCustomAttributes<TraitAttribute>().Any(trait => trait is { Name: "Category", Value: "Golden" });

    private static IEnumerable<object?> Rows(MethodInfo method) =>
        from source in method.GetCustomAttributes<MemberDataAttribute>()
        let owner = source.MemberType ?? method.DeclaringType!
        let cases = (IEnumerable)owner.GetProperty(source.MemberName, BindingFlags.Static | BindingFlags.Public)!.GetValue(null)!
        from row in cases.Cast<ITheoryDataRow>()
        from value in row.GetData()
        select value;
}
