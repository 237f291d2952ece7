"""The usual calls of an agent, by the official Python SDK: tests/mcp/run"""

import sys
import unittest

from sdk import MODES, VERSION, connect, token

TOOLS = {
    "add_tasks",
    "complete_tasks",
    "delete_tasks",
    "find_tasks",
    "get_overview",
    "get_task",
    "restore_tasks",
    "update_tasks",
}


def messages(exception: BaseException) -> list[str]:
    """What an exception says: the SDK wraps those of its tasks in groups."""
    inner = getattr(exception, "exceptions", [])
    return [str(exception), *(message for one in inner for message in messages(one))]


class Conversation(unittest.IsolatedAsyncioTestCase):
    mode = "auto"

    def connect(self, who: str, *more: str):
        """A client of somebody whom no other test knows."""
        return connect(self.mode, token(f"{who} in {self.id()}", *more))

    async def test_tools(self):
        async with self.connect("alice") as alice:
            self.assertEqual(alice.revision, MODES[self.mode])
            tools = await alice.tools()
            self.assertEqual({tool["name"] for tool in tools}, TOOLS)
            for tool in tools:
                self.assertEqual(tool["outputSchema"]["type"], "object", tool["name"])
                self.assertNotIn("user_id", tool["inputSchema"]["properties"], tool["name"])
                reads = tool["name"] in {"find_tasks", "get_task", "get_overview"}
                self.assertEqual(tool["annotations"]["readOnlyHint"], reads, tool["name"])

    async def test_add_find_update_complete_delete_undo(self):
        async with self.connect("alice") as alice, self.connect("bob") as bob:
            added = await alice.call(
                "add_tasks",
                tasks=[
                    {"title": "Buy milk", "tags": ["shopping"]},
                    {"title": "Call mum", "due_date": "tomorrow"},
                ],
                time_zone="Asia/Tokyo",
            )
            self.assertFalse(added.failed, added.words)
            self.assertEqual([item["task"]["id"] for item in added.data["results"]], [1, 2])
            self.assertEqual(list(added.data["dates"]), ["tomorrow"])
            self.assertEqual(await alice.titles(q="MILK"), ["Buy milk"])

            updated = await alice.call("update_tasks", tasks=[{"id": 1, "title": "Buy oat milk"}])
            [item] = updated.data["results"]
            self.assertEqual((item["task"]["title"], item["before"]["title"]), ("Buy oat milk", "Buy milk"))
            await alice.call("complete_tasks", ids=[1])
            self.assertEqual(await alice.titles(completed=True), ["Buy oat milk"])

            deleted = await alice.call("delete_tasks", ids=[1, 2])
            self.assertIn("restore_tasks", deleted.words)
            self.assertEqual(await alice.titles(), [])
            restored = await alice.call("restore_tasks", ids=[1, 2])
            self.assertFalse(restored.failed, restored.words)
            self.assertEqual(await alice.titles(sort="title"), ["Buy oat milk", "Call mum"])

            self.assertEqual(await bob.titles(), [])
            self.assertTrue((await bob.call("delete_tasks", ids=[1])).failed)
            self.assertEqual(len(await alice.titles()), 2)

    async def test_retry(self):
        async with self.connect("alice") as alice:
            for replayed in [False, True]:
                added = await alice.call("add_tasks", tasks=[{"title": "Pay the rent"}], request_id="turn-7")
                [item] = added.data["results"]
                self.assertEqual(item.get("replayed", False), replayed)
            self.assertEqual(await alice.titles(), ["Pay the rent"])

    async def test_faults_are_words(self):
        async with self.connect("alice") as alice:
            for tool, arguments, word in [
                ("get_task", {"id": 4711}, "4711"),
                ("add_tasks", {"tasks": [{"title": ""}]}, "title"),
                ("find_tasks", {"colour": "red"}, "colour"),
                ("delete_tasks", {}, "ids"),
            ]:
                result = await alice.call(tool, **arguments)
                self.assertTrue(result.failed, tool)
                self.assertIn(word, result.words)

    async def test_scope(self):
        with self.assertRaises(Exception) as refused:
            async with self.connect("alice", "--scope", "tasks:read") as reader:
                self.assertEqual(await reader.titles(), [])
                await reader.call("add_tasks", tasks=[{"title": "Buy a yacht"}])
        # The SDK does not pass on the body of a 403; v2 not even its status.
        self.assertRegex("\n".join(messages(refused.exception)), "403|Server returned an error response")
        async with self.connect("alice") as alice:
            self.assertEqual(await alice.titles(), [])


def load_tests(loader, _tests, _pattern):
    """The same story by each mode of the SDK."""
    suite = unittest.TestSuite()
    for mode in MODES:
        story = type(f"SDK v{VERSION}, {mode}", (Conversation,), {"mode": mode})
        suite.addTests(loader.loadTestsFromTestCase(story))
    return suite


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    print(f"# pass {result.testsRun - bad}\n# fail {bad}")
    sys.exit(not result.wasSuccessful())
