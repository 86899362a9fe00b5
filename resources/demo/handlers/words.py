"""The words of the pages in Chinese; English is what the templates say themselves."""

import tornado.locale

# Templates write {{ _("Hello") }}: Tornado asks the locale of the request, one of these two.
ZH = {
    "World": "世界",
    "Guest": "访客",
    "Tornado demo": "Tornado 演示",
    "Log in": "登录",
    "Log out": "退出",
    "Hello, %(name)s!": "你好，%(name)s！",
    "This page was made by HomeHandler from home.html, which extends base.html. "
    "Each card opens a page that shows one thing a Tornado server does.": (
        "本页由 HomeHandler 用 home.html 生成，它继承自 base.html。"
        "每张卡片打开一个页面，展示 Tornado 服务器做的一件事。"
    ),
    "Rendered at": "生成时间",
    "A wave on the screen of an oscilloscope": "示波器屏幕上的波形",
    "Time": "时间",
    "People and forms": "用户与表单",
    "Routes and errors": "路由与错误",
    "Sleep": "休眠",
    "Block": "阻塞",
    "Wait": "等待",
    "Resolve": "完成",
    "Stream": "流式输出",
    "Chat": "聊天室",
    "Profile": "个人主页",
    "Guest book": "留言簿",
    "Upload": "上传",
    "Story": "故事",
    "Story 7": "故事 7",
    "Next story": "下一个故事",
    "Redirect": "重定向",
    "Error 500": "错误 500",
    "Error 404": "错误 404",
    "await asyncio.sleep: others are served meanwhile.": "await asyncio.sleep：期间照常服务他人。",
    "time.sleep: the whole server stands still.": "time.sleep：整个服务器停住不动。",
    "Hangs on a Future until you resolve it. Opens in a new tab.": (
        "挂在一个 Future 上，直到你完成它。在新标签页中打开。"
    ),
    "Fills the Future: everyone who waits gets an answer.": (
        "给 Future 赋值：所有等待者都得到响应。"
    ),
    "Numbers, flushed one by one.": "数字逐个 flush 发出。",
    "A WebSocket that stays open. Try it in two windows.": (
        "一条保持打开的 WebSocket。请开两个窗口试试。"
    ),
    "A signed cookie, taken by an XSRF-protected form.": "通过带 XSRF 保护的表单得到签名 Cookie。",
    "Only for those who are logged in.": "仅限已登录的用户。",
    "A form that the server checks.": "由服务器校验的表单。",
    "A file, measured and hashed, never stored.": "计算文件的大小和哈希，从不保存。",
    "A part of the address becomes an argument.": "地址的一部分变成参数。",
    "An old address that leads back here.": "一个会跳回这里的旧地址。",
    "A real exception that nobody catches.": "一个无人捕获的真实异常。",
    "An address that no route matches.": "一个没有路由匹配的地址。",
    "The route caught this part of the address and handed it to get() as text:": (
        "路由捕获了地址的这一部分，并以文本形式交给 get()："
    ),
    "The server stood still": "服务器停住了",
    "For this time nobody was answered: there is one thread, and it was in here.": (
        "这段时间里没有任何人得到响应：只有一个线程，而它正停在这里。"
    ),
    "Only this request slept": "只有这个请求在休眠",
    "Meanwhile the event loop served everyone else.": "与此同时，事件循环照常服务其他人。",
    "Resolve the Future": "完成 Future",
    "Requests resolved:": "已完成的请求：",
    "Requests waiting now:": "正在等待的请求：",
    "Value for those who wait": "交给等待者的值",
    "Let one more request wait (new tab)": "再让一个请求等待(新标签页)",
    "Any name will do. It comes back to you in a signed cookie.": (
        "随便填一个名字。它会放在签名 Cookie 里还给你。"
    ),
    "Name": "名字",
    "Please enter a name of 1 to 40 characters.": "请输入 1 到 40 个字符的名字。",
    "Please enter a message of 1 to 280 characters.": "请输入 1 到 280 个字符的留言。",
    "You are logged in as": "当前登录的用户：",
    "This cookie says so. It is signed, not encrypted:": (
        "依据就是这个 Cookie。它有签名，但没有加密："
    ),
    "Message": "内容",
    "Send": "发送",
    "Nobody has written yet.": "还没有人留言。",
    "The server measures and hashes your files. It stores none.": (
        "服务器只计算文件的大小和哈希，不保存任何文件。"
    ),
    "Files": "文件",
    "Size": "大小",
    "bytes": "字节",
    "sent as": "提交时的名字",
    "Online:": "在线：",
    "connecting …": "正在连接……",
    "connected": "已连接",
    "disconnected": "已断开",
    "joined": "加入了",
    "left": "离开了",
    "Bad Request": "错误的请求",
    "Forbidden": "禁止访问",
    "Not Found": "找不到页面",
    "Method Not Allowed": "不允许的方法",
    "Internal Server Error": "服务器内部错误",
    "An exception left the handler, and nobody caught it:": "一个异常离开了处理器，没有人捕获它：",
    "No route matches this address.": "没有路由匹配这个地址。",
    "The server understood, and refuses. Often the XSRF token is missing.": (
        "服务器明白请求，但拒绝执行。常见原因是缺少 XSRF 令牌。"
    ),
    "Back to the start": "回到首页",
}

ENGLISH = tornado.locale.CSVLocale("en", {})
CHINESE = tornado.locale.CSVLocale("zh", {"unknown": ZH})
